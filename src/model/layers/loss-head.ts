/**
 * Linear layer and softmax cross-entropy, in blocks of time steps so that the logits of a large vocabulary do not
 * fill the memory. The gradient is that of the summed loss: the division by the tokens comes with the update.
 */
import { START } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import { headWords } from '../workspace.ts';
import { type Chunk, type NetworkContext, type Subtree, subtreeGradient } from './context.ts';
import { sumOverLanes, sumRowsOfLanes } from './lane-sums.ts';

/** logits (times, R, V) of `times` time steps of the top layer's output, into the shard's logits. */
export function computeLogits(
  { spec, table, kernels, packed, shard }: NetworkContext,
  chunk: Chunk,
  output: Offset,
  times: number,
): void {
  kernels.multiply(
    output,
    spec.hidden,
    packed.headForward,
    shard.logits,
    spec.vocabulary,
    times * chunk.rows,
    spec.hidden,
    spec.vocabulary,
    START.bias,
    chunk.parameters + table.get('head.bias').start,
    0,
    0,
  );
}

/**
 * losses (T, R) of the top layer's output (T, R, H). With subtrees: also dOutput (T, R, H) and their gradients of the
 * head; without (`dOutput` 0), the losses alone.
 */
export function computeLoss(
  context: NetworkContext,
  chunk: Chunk,
  output: Offset,
  subtrees: readonly Subtree[],
  dOutput: Offset,
): void {
  const { spec, kernels, shard } = context;
  for (let t = 0; t < chunk.times; t += chunk.headTimes) {
    const times = Math.min(chunk.headTimes, chunk.times - t);
    const first = t * chunk.rows;
    const block = { times, rows: chunk.rows, output: output + first * spec.hidden };
    computeLogits(context, chunk, block.output, times);
    kernels.softmaxCrossEntropy(
      shard.logits,
      shard.targets + first,
      times * chunk.rows,
      spec.vocabulary,
      shard.losses + first,
    );
    if (!dOutput) continue;
    multiplyBackward(context, chunk, dOutput + first * spec.hidden, times);
    if (times === chunk.times) sumHeadGradients(context, block, subtrees);
    else addToLanes(context, block, subtrees, t > 0 ? 1 : 0);
  }
  if (dOutput && chunk.headTimes < chunk.times) sumHeadsOfLanes(context, subtrees);
}

/**
 * The gradient of the summed loss of the last time step alone: dOutput (T, R, H), zero in the steps before. Nothing of the
 * head's own gradients.
 */
export function computeLastLoss(
  context: NetworkContext,
  chunk: Chunk,
  output: Offset,
  dOutput: Offset,
): void {
  const { spec, kernels, shard } = context;
  const { times, rows } = chunk;
  const first = (times - 1) * rows;
  const place = first * spec.hidden;
  computeLogits(context, chunk, output + place, 1);
  kernels.softmaxCrossEntropy(
    shard.logits,
    shard.targets + first,
    rows,
    spec.vocabulary,
    shard.losses + first,
  );
  kernels.fill(dOutput, place, 0);
  multiplyBackward(context, chunk, dOutput + place, 1);
}

function multiplyBackward(
  { spec, kernels, packed, shard }: NetworkContext,
  { rows }: Chunk,
  dOutput: Offset,
  times: number,
): void {
  kernels.multiply(
    shard.logits,
    spec.vocabulary,
    packed.headBackward,
    dOutput,
    spec.hidden,
    times * rows,
    spec.vocabulary,
    spec.hidden,
    START.zero,
    0,
    0,
    0,
  );
}

/** Some time steps of the top layer's output (times, R, H), whose gradients of the logits are in the workspace. */
interface HeadBlock {
  times: number;
  rows: number;
  output: Offset;
}

/** The subtrees' gradients of the head from one block that is the whole chunk. */
function sumHeadGradients(
  context: NetworkContext,
  block: HeadBlock,
  subtrees: readonly Subtree[],
): void {
  const { spec, shard } = context;
  const { vocabulary } = spec;
  for (const subtree of subtrees) {
    const { lanes, regions } = subtree;
    const out = subtreeGradient(context, subtree, 'head.weight');
    const { firstRow } = lanes[0];
    multiplyHead(context, block, firstRow, regions.laneRows, lanes.length, out, 0);
    const dBias = subtreeGradient(context, subtree, 'head.bias');
    sumRowsOfLanes(context, block, subtree, shard.logits, vocabulary, vocabulary, dBias);
  }
}

/** Adds what one of several blocks gives to each lane's gradients of the head: the tree over lanes comes after the last. */
function addToLanes(
  context: NetworkContext,
  block: HeadBlock,
  subtrees: readonly Subtree[],
  accumulate: 0 | 1,
): void {
  const { spec, kernels, shard } = context;
  const { vocabulary, hidden } = spec;
  let sums = shard.headSums;
  for (const { lanes, regions } of subtrees) {
    for (const [i, { firstRow, rows }] of lanes.entries()) {
      multiplyHead(context, block, firstRow, regions.laneRows + i, 1, sums, accumulate);
      kernels.sumRows(
        shard.logits + firstRow * vocabulary,
        vocabulary,
        block.rows * vocabulary,
        block.times,
        rows,
        vocabulary,
        accumulate,
        sums + vocabulary * hidden,
      );
      sums += headWords(spec);
    }
  }
}

/** The subtrees' gradients of the head from those of their lanes. */
function sumHeadsOfLanes(context: NetworkContext, subtrees: readonly Subtree[]): void {
  const { spec, shard } = context;
  const { vocabulary, hidden } = spec;
  const words = headWords(spec);
  let sums = shard.headSums;
  for (const subtree of subtrees) {
    const { length } = subtree.lanes;
    const weight = (lane: number, first: number) => sums + lane * words + first;
    const bias = (lane: number, first: number) => weight(lane, vocabulary * hidden + first);
    const dWeight = subtreeGradient(context, subtree, 'head.weight');
    sumOverLanes(context, length, weight, vocabulary * hidden, dWeight);
    const dBias = subtreeGradient(context, subtree, 'head.bias');
    sumOverLanes(context, length, bias, vocabulary, dBias);
    sums += length * words;
  }
}

/** out (V, H) = (accumulate ? out : 0) + Σ dLogitsᵀ · output over some lanes. */
function multiplyHead(
  { spec, kernels, shard }: NetworkContext,
  { times, rows, output }: HeadBlock,
  firstRow: number,
  laneRows: Offset,
  lanes: number,
  out: Offset,
  accumulate: 0 | 1,
): void {
  const { hidden, vocabulary } = spec;
  kernels.multiplyTransposed(
    shard.logits + firstRow * vocabulary,
    vocabulary,
    rows * vocabulary,
    output + firstRow * hidden,
    hidden,
    rows * hidden,
    times,
    laneRows,
    lanes,
    out,
    hidden,
    vocabulary,
    hidden,
    accumulate,
    shard.scratch,
  );
}
