/**
 * The kernel contract: the few hot operations below the model. A leaf: types only.
 *
 * Every operand is a row-major matrix in the arena, given by the offset of its first word and, where
 * it can differ from its width, by a stride (words from one row to the next). Matrices that are cut
 * out of a (T, R, ·) tensor for the rows of one lane are given in groups: `groups` times steps
 * `groupStride` apart, each of `rows` rows `stride` apart.
 *
 * What every backend must keep:
 * - A result row depends on its own operand row only, to the bit: every register tile and every
 *   edge tile adds over K in ascending order with the same operations. So the rows of a shard can
 *   be cut in any way (Same bits on any number of workers, README).
 * - An operation reads and writes nothing outside the operands named in its comment; operands may
 *   alias only where the comment says so.
 * - Sizes may be zero (nothing is written, or the sum is empty) and need not be multiples of the
 *   vector width. Offsets need no alignment.
 * - No operation allocates, throws on numbers, or keeps state between calls. NaN and infinity pass
 *   through as in IEEE arithmetic.
 * Letters: m rows of the result, n columns, k the length of the sum; R rows, H hidden width.
 */
import type { CellKernels } from './contract/cells.ts';
import type { MatrixKernels } from './contract/matrix.ts';
import type { OptimizerKernels } from './contract/optimizers.ts';
import type { TokenKernels } from './contract/tokens.ts';
import type { VectorKernels } from './contract/vectors.ts';

export { START, type Start } from './contract/matrix.ts';
export type { CellKernels, MatrixKernels, OptimizerKernels, TokenKernels, VectorKernels };

export type BackendName = 'native' | 'wasm' | 'reference';

/** What a processor can do at most, for benchmarks to hold the rest against. */
export interface PeakKernels {
  /** Multiply-adds in registers alone, `iterations` of each chain; returns the floating-point operations done. */
  multiplyAddLoop(iterations: number): number;
}

export interface Kernels
  extends MatrixKernels,
    CellKernels,
    TokenKernels,
    VectorKernels,
    OptimizerKernels,
    PeakKernels {
  readonly backend: BackendName;
  /** The build in use, such as `wasm-relaxed-simd`: results agree to the bit only within one variant. */
  readonly variant: string;
}
