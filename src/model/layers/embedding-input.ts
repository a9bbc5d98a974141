/**
 * Embedding and the first layer's input projection in one: the projection of a token is a row of embedding · Wᵢₕᵀ + b,
 * so it is computed once for each distinct id of the chunk, and its gradient is summed by id first. The same
 * mathematics as token by token, with U ≤ min(V, T·R) rows instead of T·R.
 */
import { START } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import { type Chunk, type Lane, laneGradient, type NetworkContext } from './context.ts';

/** gates of layer 0 (T, R, C·H), columns [0, G·H) = embedding[ids] · Wᵢₕᵀ + bias. */
export function projectTokens(context: NetworkContext, chunk: Chunk): void {
  const { spec, cell, kernels, packed, shard } = context;
  const width = cell.gates * spec.hidden;
  const distinct = indexDistinct(context, chunk, 0, chunk.rows, shard.rowOfId);
  gatherEmbeddings(context, chunk, distinct);
  kernels.multiply(
    shard.embedded,
    spec.embed,
    packed.layers[0].inputForward,
    shard.projected,
    width,
    distinct,
    spec.embed,
    width,
    START.bias,
    packed.layers[0].bias,
  );
  kernels.gatherRows(
    shard.projected,
    width,
    shard.rows,
    chunk.times * chunk.rows,
    width,
    shard.layers[0].gates,
    cell.gateColumns * spec.hidden,
  );
}

/** The lane's gradients of the embedding (its rows that occur) and of Wᵢₕ, from the gate gradients of layer 0. */
export function projectTokensBackward(context: NetworkContext, chunk: Chunk, lane: Lane): void {
  const { spec, cell, kernels, packed, shard } = context;
  const width = cell.gates * spec.hidden;
  const gateStride = cell.gateColumns * spec.hidden;
  const distinct = indexDistinct(context, chunk, lane.firstRow, lane.rows, lane.regions.rowOfId);
  kernels.fill(shard.projected, distinct * width, 0);
  kernels.scatterAddRows(
    shard.layers[0].gates + lane.firstRow * gateStride,
    gateStride,
    chunk.rows * gateStride,
    shard.rows + lane.firstRow,
    chunk.rows,
    chunk.times,
    lane.rows,
    width,
    shard.projected,
    width,
  );
  kernels.multiply(
    shard.projected,
    width,
    packed.layers[0].inputBackward,
    lane.regions.embeddingRows,
    spec.embed,
    distinct,
    width,
    spec.embed,
    START.zero,
    0,
  );
  gatherEmbeddings(context, chunk, distinct);
  kernels.multiplyTransposed(
    shard.projected,
    width,
    0,
    shard.embedded,
    spec.embed,
    0,
    1,
    distinct,
    laneGradient(context, lane, 'rnn.weight_ih_l0'),
    spec.embed,
    width,
    spec.embed,
    0,
    shard.scratch,
  );
}

function gatherEmbeddings(context: NetworkContext, chunk: Chunk, distinct: number): void {
  const { spec, kernels, shard } = context;
  const { embed } = spec;
  kernels.gatherRows(
    chunk.parameters,
    embed,
    shard.distinct,
    distinct,
    embed,
    shard.embedded,
    embed,
  );
}

/**
 * Numbers the distinct ids among some columns of the shard's ids (T, R) in order of appearance: fills `rowOfId`, the list
 * of distinct ids and each token's row. Returns their number.
 */
function indexDistinct(
  { spec, ints, shard }: NetworkContext,
  { times, rows }: Chunk,
  firstRow: number,
  rowCount: number,
  rowOfId: Offset,
): number {
  ints.fill(-1, rowOfId, rowOfId + spec.vocabulary);
  let distinct = 0;
  for (let t = 0; t < times; t++) {
    for (let r = firstRow; r < firstRow + rowCount; r++) {
      const token = t * rows + r;
      const id = ints[shard.ids + token];
      let row = ints[rowOfId + id];
      if (row < 0) {
        row = distinct++;
        ints[rowOfId + id] = row;
        ints[shard.distinct + row] = id;
      }
      ints[shard.rows + token] = row;
    }
  }
  return distinct;
}
