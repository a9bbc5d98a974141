/**
 * Embedding and the first layer's input projection in one: the projection of a token is a row of embedding · Wᵢₕᵀ + b,
 * so it is computed once for each distinct id of the chunk, and its gradient is summed by id first: by lane here, over
 * the lanes in `src/reduce/input-gradient.ts`. The same mathematics as token by token, with U ≤ min(V, T·R) rows
 * instead of T·R.
 */
import { START } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import type { Chunk, Lane, NetworkContext } from './context.ts';

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
    0,
    0,
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

/** The lane's gate gradients of layer 0, summed by id. */
export function sumGatesById(context: NetworkContext, chunk: Chunk, lane: Lane): void {
  const { spec, cell, kernels, shard } = context;
  const width = cell.gates * spec.hidden;
  const gateStride = cell.gateColumns * spec.hidden;
  const { gatesOfIds, rowOfId } = lane.regions;
  const distinct = indexDistinct(context, chunk, lane.firstRow, lane.rows, rowOfId);
  kernels.fill(gatesOfIds, distinct * width, 0);
  kernels.scatterAddRows(
    shard.layers[0].gates + lane.firstRow * gateStride,
    gateStride,
    chunk.rows * gateStride,
    shard.rows + lane.firstRow,
    chunk.rows,
    chunk.times,
    lane.rows,
    width,
    gatesOfIds,
    width,
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
