/** Sums over the lanes of a subtree, in the fixed tree, of vectors that no matrix product gives. */
import { sumTree } from '../../kernels/lane-tree.ts';
import type { Offset } from '../../memory/table.ts';
import { BLOCK } from '../parameters.ts';
import type { Chunk, NetworkContext, Subtree } from './context.ts';

/** Where `width` elements of a lane's vector lie from `first` on; may compute them into `scratch`. */
type PlaceOf = (lane: number, first: number, width: number, scratch: Offset) => Offset;

/** out (n) = the sum over `lanes` lanes of a vector each. */
export function sumOverLanes(
  { kernels, shard }: NetworkContext,
  lanes: number,
  placeOf: PlaceOf,
  n: number,
  out: Offset,
): void {
  for (let first = 0; first < n; first += BLOCK) {
    const width = Math.min(BLOCK, n - first);
    const leafOf = (lane: number, count: number, scratch: Offset) =>
      count === 1 ? placeOf(lane, first, width, scratch) : undefined;
    const add = (left: Offset, right: Offset, to: Offset) => kernels.add(left, right, to, width);
    kernels.copy(sumTree(0, lanes, leafOf, add, shard.tree, BLOCK), out + first, width);
  }
}

/** out (n) = the sum over the subtree's lanes of the rows of a (T, R, stride), its columns from `a` on. */
export function sumRowsOfLanes(
  context: NetworkContext,
  { times, rows }: Pick<Chunk, 'times' | 'rows'>,
  { lanes }: Subtree,
  a: Offset,
  stride: number,
  n: number,
  out: Offset,
): void {
  const sumOfLane: PlaceOf = (lane, first, width, scratch) => {
    const { firstRow, rows: laneRows } = lanes[lane];
    const start = a + first + firstRow * stride;
    context.kernels.sumRows(start, stride, rows * stride, times, laneRows, width, 0, scratch);
    return scratch;
  };
  sumOverLanes(context, lanes.length, sumOfLane, n, out);
}
