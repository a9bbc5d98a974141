/**
 * One recurrent layer over a chunk: the input's projection of all time steps in one product, then the time loop with
 * only the recurrent product inside, and back. Werbos 1990 (backpropagation through time) within the chunk;
 * Williams & Peng 1990 (truncation at the chunk's start).
 */
import { START } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import type { CellStep } from '../cells/cell.ts';
import { inputWidth } from '../spec.ts';
import { type Chunk, type NetworkContext, type Subtree, subtreeGradient } from './context.ts';
import { sumRowsOfLanes } from './lane-sums.ts';

/** gates (T, R, C·H), columns [0, G·H) = input (T, R, in) · Wᵢₕᵀ + bias; layers from the second on. */
export function projectInput(
  { spec, cell, kernels, packed, shard }: NetworkContext,
  { times, rows }: Chunk,
  layer: number,
  input: Offset,
): void {
  const width = inputWidth(spec, layer);
  kernels.multiply(
    input,
    width,
    packed.layers[layer].inputForward,
    shard.layers[layer].gates,
    cell.gateColumns * spec.hidden,
    times * rows,
    width,
    cell.gates * spec.hidden,
    START.bias,
    packed.layers[layer].bias,
    0,
    0,
  );
}

/** hidden (and cell) states 1 … T from state 0 and the projected inputs. */
export function unroll(context: NetworkContext, chunk: Chunk, layer: number, at: CellStep): void {
  const { spec, cell, kernels, packed, table } = context;
  const { hidden } = spec;
  const gateStride = cell.gateColumns * hidden;
  const stepWords = chunk.rows * gateStride;
  const recurrentBias = chunk.parameters + table.get(`rnn.bias_hh_l${layer}`).start;
  for (let t = 0; t < chunk.times; t++) {
    moveTo(context, chunk, layer, t, at);
    for (let i = 0; i < cell.recurrent.length; i++) {
      const { row, column, count, ownBias } = cell.recurrent[i];
      kernels.multiply(
        at.hiddenBefore,
        hidden,
        packed.layers[layer].recurrentForward[i],
        at.gates + column * hidden,
        gateStride,
        chunk.rows,
        hidden,
        count * hidden,
        ownBias ? START.bias : START.accumulate,
        ownBias ? recurrentBias + row * hidden : 0,
        at.gates + stepWords,
        i === 0 && t + 1 < chunk.times ? stepWords : 0,
      );
    }
    cell.forward(kernels, at);
  }
}

/**
 * Turns the activations into gradients of the pre-activations, from the last time step to the first. `dHidden` (T+1, R, H):
 * states 1 … T hold the gradient from above on entry; the recurrent share is added on the way.
 */
export function unrollBackward(
  context: NetworkContext,
  chunk: Chunk,
  layer: number,
  dHidden: Offset,
  at: CellStep,
): void {
  const { spec, cell, kernels, packed, shard } = context;
  const { hidden } = spec;
  const stateWords = chunk.rows * hidden;
  const gateStride = cell.gateColumns * hidden;
  const stepWords = chunk.rows * gateStride;
  kernels.fill(dHidden, stateWords, 0);
  if (cell.hasCellState) kernels.fill(shard.dCell, stateWords, 0);
  at.dCell = shard.dCell;
  for (let t = chunk.times - 1; t >= 0; t--) {
    moveTo(context, chunk, layer, t, at);
    at.dHiddenBefore = dHidden + t * stateWords;
    at.dHidden = at.dHiddenBefore + stateWords;
    cell.backward(kernels, at);
    if (t === 0) break;
    for (let i = 0; i < cell.recurrent.length; i++) {
      const { column, count } = cell.recurrent[i];
      kernels.multiply(
        at.gates + column * hidden,
        gateStride,
        packed.layers[layer].recurrentBackward[i],
        at.dHiddenBefore,
        hidden,
        chunk.rows,
        count * hidden,
        hidden,
        START.accumulate,
        0,
        at.gates - stepWords,
        i === 0 ? stepWords : 0,
      );
    }
  }
}

/** dInput (T, R, in) = gate gradients · Wᵢₕ; layers from the second on. */
export function projectInputBackward(
  { spec, cell, kernels, packed, shard }: NetworkContext,
  { times, rows }: Chunk,
  layer: number,
  dInput: Offset,
): void {
  const width = inputWidth(spec, layer);
  kernels.multiply(
    shard.layers[layer].gates,
    cell.gateColumns * spec.hidden,
    packed.layers[layer].inputBackward,
    dInput,
    width,
    times * rows,
    cell.gates * spec.hidden,
    width,
    START.zero,
    0,
    0,
    0,
  );
}

/** The subtree's gradients of Wₕₕ and both biases, and of Wᵢₕ from the second layer on (`input` (T, R, in)). */
export function sumWeightGradients(
  context: NetworkContext,
  chunk: Chunk,
  layer: number,
  subtree: Subtree,
  input: Offset,
): void {
  const { spec, cell, shard } = context;
  const { hidden } = spec;
  const { gates, hidden: states } = shard.layers[layer];
  const gradient = (name: string) => subtreeGradient(context, subtree, `rnn.${name}_l${layer}`);
  for (const { row, column, count } of cell.recurrent) {
    const out = gradient('weight_hh') + row * hidden * hidden;
    sumProducts(context, chunk, layer, subtree, column, count, states, hidden, out);
  }
  sumBiasGradients(context, chunk, gates, subtree, gradient('bias_ih'), gradient('bias_hh'));
  if (layer === 0) return;
  const width = inputWidth(spec, layer);
  const out = gradient('weight_ih');
  sumProducts(context, chunk, layer, subtree, 0, cell.gates, input, width, out);
}

/** out (count·H, width) = Σ gate gradientsᵀ · b over the subtree's lanes; column and count in units of H, b (T, R, width). */
function sumProducts(
  { spec, cell, kernels, shard }: NetworkContext,
  chunk: Chunk,
  layer: number,
  { lanes, regions }: Subtree,
  column: number,
  count: number,
  b: Offset,
  width: number,
  out: Offset,
): void {
  const { hidden } = spec;
  const gateStride = cell.gateColumns * hidden;
  const { firstRow } = lanes[0];
  kernels.multiplyTransposed(
    shard.layers[layer].gates + firstRow * gateStride + column * hidden,
    gateStride,
    chunk.rows * gateStride,
    b + firstRow * width,
    width,
    chunk.rows * width,
    chunk.times,
    regions.laneRows,
    lanes.length,
    out,
    width,
    count * hidden,
    width,
    0,
    shard.scratch,
  );
}

/** Both biases have the same gradient where both are added to the same pre-activation. */
function sumBiasGradients(
  context: NetworkContext,
  chunk: Chunk,
  gates: Offset,
  subtree: Subtree,
  dInput: Offset,
  dRecurrent: Offset,
): void {
  const { spec, cell, kernels } = context;
  const { hidden } = spec;
  const stride = cell.gateColumns * hidden;
  sumRowsOfLanes(context, chunk, subtree, gates, stride, cell.gates * hidden, dInput);
  for (const { row, column, count, ownBias } of cell.recurrent) {
    const words = count * hidden;
    const out = dRecurrent + row * hidden;
    if (!ownBias) kernels.copy(dInput + row * hidden, out, words);
    else sumRowsOfLanes(context, chunk, subtree, gates + column * hidden, stride, words, out);
  }
}

function moveTo(
  { spec, cell, shard }: NetworkContext,
  { rows }: Chunk,
  layer: number,
  t: number,
  at: CellStep,
): void {
  const regions = shard.layers[layer];
  const stateWords = rows * spec.hidden;
  at.rows = rows;
  at.width = spec.hidden;
  at.gates = regions.gates + t * rows * cell.gateColumns * spec.hidden;
  at.hiddenBefore = regions.hidden + t * stateWords;
  at.hidden = at.hiddenBefore + stateWords;
  at.cellBefore = regions.cell + t * stateWords;
  at.cell = at.cellBefore + stateWords;
}
