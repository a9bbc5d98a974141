/** One kernel at one size, as a benchmark: its operands in a table, what it computes and how much work that is. Pure. */
import type { Kernels } from '../../kernels/contract.ts';
import type { Offset, TableBuilder } from '../../memory/table.ts';

/** R, T, H and V; the rows are those of `lanes` equal lanes. */
export interface CaseSizes {
  rows: number;
  times: number;
  hidden: number;
  vocabulary: number;
  lanes: number;
}

/** float32 words of the arena. */
export interface Span {
  offset: Offset;
  length: number;
}

export interface PlacedCase {
  /** Done once, before the first call: operands that are no arbitrary numbers. */
  prepare?: (ints: Int32Array) => void;
  /** The call. A number that it returns is a result like those in `results`. */
  run: () => unknown;
  /** Done after the call that is checked: makes `results` of what differs between backends in its form. */
  reveal?: () => void;
  /** All that the call writes, but scratch. */
  results: readonly Span[];
  /** The call reads results of its own: they must be put back before the next one. */
  inPlace?: boolean;
}

export interface KernelCase {
  name: string;
  /** Work of one call, in floating-point operations or in bytes read and written. */
  flops?: number;
  bytes?: number;
  /** Declares the operands and says what to call. The same in every backend, but for packed operands. */
  place(builder: TableBuilder, kernels: Kernels): PlacedCase;
}
