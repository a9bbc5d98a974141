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

export interface PlacedCase {
  /** Done once, before the first call: operands that are no arbitrary numbers. */
  prepare?: (ints: Int32Array) => void;
  run: () => void;
  result: Offset;
  length: number;
}

export interface KernelCase {
  name: string;
  /** Work of one call, in floating-point operations or in bytes read and written. */
  flops?: number;
  bytes?: number;
  /** Declares the operands and says what to call. The same in every backend, but for packed operands. */
  place(builder: TableBuilder, kernels: Kernels): PlacedCase;
}
