/**
 * Linear layer and softmax cross-entropy, in blocks of time steps so that the logits of a large vocabulary do not
 * fill the memory. The gradient is that of the summed loss: the division by the tokens comes with the update.
 */
import { START } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import { type Chunk, type Lane, laneGradient, type NetworkContext } from './context.ts';

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
  );
}

/**
 * losses (T, R) of the top layer's output (T, R, H). With lanes: also dOutput (T, R, H) and the lanes' gradients of the
 * head; without (`dOutput` 0), the losses alone.
 */
export function computeLoss(
  context: NetworkContext,
  chunk: Chunk,
  output: Offset,
  lanes: readonly Lane[],
  dOutput: Offset,
): void {
  const { spec, kernels, shard } = context;
  for (let t = 0; t < chunk.times; t += chunk.headTimes) {
    const times = Math.min(chunk.headTimes, chunk.times - t);
    const first = t * chunk.rows;
    const block = output + first * spec.hidden;
    computeLogits(context, chunk, block, times);
    kernels.softmaxCrossEntropy(
      shard.logits,
      shard.targets + first,
      times * chunk.rows,
      spec.vocabulary,
      shard.losses + first,
    );
    if (!dOutput) continue;
    multiplyBackward(context, chunk, dOutput + first * spec.hidden, times);
    for (const lane of lanes) sumHeadGradients(context, chunk, lane, block, times, t > 0 ? 1 : 0);
  }
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
  );
}

function sumHeadGradients(
  context: NetworkContext,
  { rows }: Chunk,
  lane: Lane,
  output: Offset,
  times: number,
  accumulate: 0 | 1,
): void {
  const { spec, kernels, shard } = context;
  const { hidden, vocabulary } = spec;
  const dLogits = shard.logits + lane.firstRow * vocabulary;
  kernels.multiplyTransposed(
    dLogits,
    vocabulary,
    rows * vocabulary,
    output + lane.firstRow * hidden,
    hidden,
    rows * hidden,
    times,
    lane.rows,
    laneGradient(context, lane, 'head.weight'),
    hidden,
    vocabulary,
    hidden,
    accumulate,
    shard.scratch,
  );
  kernels.sumRows(
    dLogits,
    vocabulary,
    rows * vocabulary,
    times,
    lane.rows,
    vocabulary,
    accumulate,
    laneGradient(context, lane, 'head.bias'),
  );
}
