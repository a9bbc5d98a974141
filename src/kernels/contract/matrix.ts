/** Matrix products and what they need. Part of the kernel contract (../contract.ts). */
import type { Offset } from '../../memory/table.ts';

/** How `multiply` begins each element of the result. */
export const START = {
  /** c = a·b */
  zero: 0,
  /** c = bias + a·b, `bias` of n words */
  bias: 1,
  /** c = c + a·b */
  accumulate: 2,
} as const;
export type Start = (typeof START)[keyof typeof START];

export interface MatrixKernels {
  /** Words that the packed form of a (k, n) matrix takes. */
  packedLength(k: number, n: number): number;
  /** Columns of one packed panel: `pack` may be split over threads at multiples of it, and at any row. */
  readonly panelColumns: number;
  /**
   * Packs rows [firstRow, firstRow + rows) of columns [firstColumn, firstColumn + columns) of b (k, n) for `multiply`.
   * b[i, j] is source[i·stride + j], or source[j·stride + i] where `transposed` is 1. firstColumn is a multiple of
   * panelColumns.
   */
  pack(
    source: Offset,
    stride: number,
    transposed: 0 | 1,
    k: number,
    n: number,
    firstRow: number,
    rows: number,
    firstColumn: number,
    columns: number,
    packed: Offset,
  ): void;
  /**
   * c (m, n) = start + a (m, k) · b (k, n), b packed. c aliases nothing. `ahead` (aheadLength words; none where that is 0) is
   * what will be read next: it may be brought near the processor meanwhile, and changes nothing of the result.
   */
  multiply(
    a: Offset,
    aStride: number,
    packed: Offset,
    c: Offset,
    cStride: number,
    m: number,
    k: number,
    n: number,
    start: Start,
    bias: Offset,
    ahead: Offset,
    aheadLength: number,
  ): void;
  /** Words of scratch that `multiplyTransposed` needs for lanes of at most `rows` rows. */
  scratchLength(groups: number, rows: number, lanes: number, m: number, n: number): number;
  /**
   * c (m, n) = (accumulate ? c : 0) + Σ over lanes of aᵀ · b, a (groups·rows, m), b (groups·rows, n). A group's rows
   * are those of one lane after the other: `laneRows` is int32 (lanes), lanes ≥ 1. Within a lane the outer products
   * of the rows of a and b are added in order of group, then row; the lanes in the tree of `lane-tree.ts`, whose sum
   * is added to c. c and scratch alias nothing.
   */
  multiplyTransposed(
    a: Offset,
    aStride: number,
    aGroupStride: number,
    b: Offset,
    bStride: number,
    bGroupStride: number,
    groups: number,
    laneRows: Offset,
    lanes: number,
    c: Offset,
    cStride: number,
    m: number,
    n: number,
    accumulate: 0 | 1,
    scratch: Offset,
  ): void;
  /** out (n) = (accumulate ? out : 0) + the sum of the rows of a, in order of group, then row. */
  sumRows(
    a: Offset,
    aStride: number,
    aGroupStride: number,
    groups: number,
    rows: number,
    n: number,
    accumulate: 0 | 1,
    out: Offset,
  ): void;
}
