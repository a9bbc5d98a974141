/**
 * The sum over lanes as a fixed binary tree, whose shape depends on the number of lanes alone: the left subtree is the
 * largest power of two below it. Pure but for the kernels.
 */
import type { Offset } from '../memory/table.ts';

/** Adds two vectors of the current length into `out`, which may be the first. */
export type Add = (left: Offset, right: Offset, out: Offset) => void;

/** Where a lane's vector lies; 0 for a lane that contributes nothing. */
export type LeafOf = (lane: number) => Offset;

/**
 * Sums lanes [first, first + count). Inner sums go to scratch vectors `scratchStride` apart, of which log₂(count) + 1 are
 * needed; lanes are only read. Returns where the sum lies: scratch, the only lane that contributes, or 0 for none.
 */
export function sumTree(
  first: number,
  count: number,
  leafOf: LeafOf,
  add: Add,
  scratch: Offset,
  scratchStride: number,
): Offset {
  if (count === 1) return leafOf(first);
  const half = 2 ** Math.ceil(Math.log2(count) - 1);
  const left = sumTree(first, half, leafOf, add, scratch, scratchStride);
  // A sum lies in the first scratch vector of its subtree or in none: the right one must spare the left one's.
  const next = left ? scratch + scratchStride : scratch;
  const right = sumTree(first + half, count - half, leafOf, add, next, scratchStride);
  if (!left || !right) return left || right;
  add(left, right, scratch);
  return scratch;
}
