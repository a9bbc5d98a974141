/**
 * The sum over lanes as a fixed binary tree, whose shape depends on the number of lanes alone: whoever adds any subtree
 * of it gets the same bits. Pure but for the kernels.
 */
import type { Offset } from '../memory/table.ts';

/** Adds two vectors of the current length into `out`, which may be the first. */
export type Add = (left: Offset, right: Offset, out: Offset) => void;

/**
 * Where the sum of lanes [first, first + count) lies, if it is known without adding; 0 where those lanes contribute
 * nothing. May compute it into `scratch`, a vector that is free. Must know every single lane.
 */
export type LeafOf = (first: number, count: number, scratch: Offset) => Offset | undefined;

/** A whole subtree: neighbouring lanes that are added among themselves before anything else. */
export interface Subtree {
  readonly first: number;
  readonly count: number;
}

/** Lanes of the left subtree of `count` ≥ 2 lanes: the largest power of two below `count`. */
export function leftLanes(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1);
}

/**
 * Sums lanes [first, first + count). Inner sums go to scratch vectors `scratchStride` apart, of which log₂(count) + 1 are
 * needed; leaves are only read. Returns where the sum lies: scratch, the only leaf that contributes, or 0 for none.
 */
export function sumTree(
  first: number,
  count: number,
  leafOf: LeafOf,
  add: Add,
  scratch: Offset,
  scratchStride: number,
): Offset {
  const leaf = leafOf(first, count, scratch);
  if (leaf !== undefined) return leaf;
  const half = leftLanes(count);
  const left = sumTree(first, half, leafOf, add, scratch, scratchStride);
  // A sum lies in the first scratch vector of its subtree or in none: the right one must spare the left one's.
  const next = left ? scratch + scratchStride : scratch;
  const right = sumTree(first + half, count - half, leafOf, add, next, scratchStride);
  if (!left || !right) return left || right;
  add(left, right, scratch);
  return scratch;
}

/** The fewest whole subtrees of the tree over `total` lanes that make up lanes [first, first + count), in order. */
export function subtreesOf(first: number, count: number, total: number): Subtree[] {
  const visit = (start: number, length: number): Subtree[] => {
    if (start >= first + count || start + length <= first) return [];
    if (start >= first && start + length <= first + count) return [{ first: start, count: length }];
    const left = leftLanes(length);
    return [...visit(start, left), ...visit(start + left, length - left)];
  };
  return visit(0, total);
}
