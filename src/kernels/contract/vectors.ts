/** What works on vectors, element by element or summed. Part of the kernel contract (../contract.ts). */
import type { Offset } from '../../memory/table.ts';

export interface VectorKernels {
  /** out (n) = a + b; out may be a or b. */
  add(a: Offset, b: Offset, out: Offset, n: number): void;
  /** Words of scratch that `sumLanes` needs. */
  sumScratchLength(lanes: number): number;
  /**
   * out (n) = the sum over lanes, in the tree of `lane-tree.ts`, of a vector each. `places` is int32 (lanes): how many
   * words after `base` it begins, 0 for a lane that contributes nothing; out is zero where none does. out and scratch
   * alias nothing.
   */
  sumLanes(
    base: Offset,
    places: Offset,
    lanes: number,
    n: number,
    out: Offset,
    scratch: Offset,
  ): void;
  copy(source: Offset, out: Offset, n: number): void;
  fill(out: Offset, n: number, value: number): void;
  /** Σ a², added in float64 in an order fixed by n alone. */
  sumOfSquares(a: Offset, n: number): number;
}
