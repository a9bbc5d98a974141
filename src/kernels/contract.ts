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
import type { Offset } from '../memory/table.ts';

export type BackendName = 'native' | 'wasm' | 'reference';

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
  /** Columns of one packed panel: `pack` may be split over threads at multiples of it. */
  readonly panelColumns: number;
  /**
   * Packs columns [firstColumn, firstColumn + columns) of b (k, n) for `multiply`. b[i, j] is source[i·stride + j],
   * or source[j·stride + i] where `transposed` is 1. firstColumn is a multiple of panelColumns.
   */
  pack(
    source: Offset,
    stride: number,
    transposed: 0 | 1,
    k: number,
    n: number,
    firstColumn: number,
    columns: number,
    packed: Offset,
  ): void;
  /** c (m, n) = start + a (m, k) · b (k, n), b packed. c aliases nothing. */
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

/**
 * One time step of a cell, all its rows. `gates` holds the pre-activations on entry of a forward, the
 * activations after it, and their gradients with respect to the pre-activations after a backward.
 * `dHidden` is the whole gradient of the loss with respect to the step's hidden state.
 */
export interface CellKernels {
  /** hidden (R, H) = tanh(gates), or max(0, gates) where relu is 1. hidden may alias gates. */
  rnnForward(gates: Offset, hidden: Offset, rows: number, width: number, relu: 0 | 1): void;
  /** gates (R, H) = dHidden ⊙ (1 − hidden²), or dHidden where hidden > 0, else 0. */
  rnnBackward(
    gates: Offset,
    hidden: Offset,
    dHidden: Offset,
    rows: number,
    width: number,
    relu: 0 | 1,
  ): void;
  /**
   * gates (R, 4H) in the order i, f, g, o: i, f, o = σ, g = tanh; cell = f ⊙ cellBefore + i ⊙ g;
   * hidden = o ⊙ tanh(cell). Hochreiter & Schmidhuber 1997 with forget gates; the equations of torch.nn.LSTM.
   */
  lstmForward(
    gates: Offset,
    cellBefore: Offset,
    cell: Offset,
    hidden: Offset,
    rows: number,
    width: number,
  ): void;
  /** `dCell` (R, H): on entry from the step after (beyond dHidden's share), on return for the step before. */
  lstmBackward(
    gates: Offset,
    cellBefore: Offset,
    cell: Offset,
    dHidden: Offset,
    dCell: Offset,
    rows: number,
    width: number,
  ): void;
  /**
   * gates (R, 4H) in the order r, z, n, u: on entry pre-activations of r and z, the input's share of n, and
   * u = the recurrent product's share of n with its bias. r, z = σ; n = tanh(n + r ⊙ u); hidden = (1 − z) ⊙ n + z ⊙
   * hiddenBefore. u stays. The equations of torch.nn.GRU (Cho et al. 2014, reset gate after the recurrent product).
   */
  gruForward(
    gates: Offset,
    hiddenBefore: Offset,
    hidden: Offset,
    rows: number,
    width: number,
  ): void;
  /** gates become the gradients of r, z, n (the input's share) and u; dHiddenBefore += dHidden ⊙ z. */
  gruBackward(
    gates: Offset,
    hiddenBefore: Offset,
    dHidden: Offset,
    dHiddenBefore: Offset,
    rows: number,
    width: number,
  ): void;
}

export interface TokenKernels {
  /**
   * logits (R, n) become softmax(logits) − onehot(target), the gradient of the row's loss; losses (R) =
   * −log softmax(logits)[target]. targets: int32 (R), each in [0, n).
   */
  softmaxCrossEntropy(
    logits: Offset,
    targets: Offset,
    rows: number,
    n: number,
    losses: Offset,
  ): void;
  /** out (R, n) = source[index[row]], index: int32 (R). */
  gatherRows(
    source: Offset,
    sourceStride: number,
    index: Offset,
    rows: number,
    n: number,
    out: Offset,
    outStride: number,
  ): void;
  /** out[index[g, r]] += a[g, r], in order of group, then row; index: int32 (groups, rows) `indexGroupStride` apart. */
  scatterAddRows(
    a: Offset,
    aStride: number,
    aGroupStride: number,
    index: Offset,
    indexGroupStride: number,
    groups: number,
    rows: number,
    n: number,
    out: Offset,
    outStride: number,
  ): void;
  /**
   * out (R, n) = source ⊙ keep · scale. The unit j of row r is kept where bits(r, j) ≥ threshold (unsigned), with
   * bits(r, j) = mix(mix(key ⊕ (firstStream + r)·0x9E3779B9) + j·0x85EBCA6B) modulo 2³² and mix as in
   * `src/kernels/mix.ts`: counter-based, so that forward, backward and any cut of the rows agree. out may be source.
   */
  dropout(
    source: Offset,
    out: Offset,
    rows: number,
    n: number,
    firstStream: number,
    key: number,
    threshold: number,
    scale: number,
  ): void;
}

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

/**
 * Updates from generation g (`parameters`, first and second moment) into generation g+1 (`…Next`); never in place.
 * The gradient used is clamp(gradientScale · gradient, ±clipValue); NaN stays NaN. clipValue may be Infinity.
 * `weightDecay` is added to the gradient as weightDecay · parameter (L2, after the clamp).
 */
export interface OptimizerKernels {
  /** Without momentum (momentum 0, velocity offsets 0): w' = w − lr·g. Else v' = momentum·v + g; w' = w − lr·(nesterov ? g + momentum·v' : v'). torch.optim.SGD. */
  sgd(
    parameters: Offset,
    parametersNext: Offset,
    velocity: Offset,
    velocityNext: Offset,
    gradient: Offset,
    n: number,
    gradientScale: number,
    clipValue: number,
    learningRate: number,
    weightDecay: number,
    momentum: number,
    nesterov: 0 | 1,
  ): void;
  /**
   * m' = β₁m + (1−β₁)g; v' = β₂v + (1−β₂)g²; w' = decay·w − stepSize · m' / (√v' · inverseRootCorrection + ε).
   * stepSize = lr / (1 − β₁ᵗ); inverseRootCorrection = 1/√(1 − β₂ᵗ); decay = 1 − lr·λ for AdamW, else 1.
   * Kingma & Ba 2015; Loshchilov & Hutter 2019; torch.optim.Adam and AdamW.
   */
  adam(
    parameters: Offset,
    parametersNext: Offset,
    first: Offset,
    firstNext: Offset,
    second: Offset,
    secondNext: Offset,
    gradient: Offset,
    n: number,
    gradientScale: number,
    clipValue: number,
    stepSize: number,
    inverseRootCorrection: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    decay: number,
  ): void;
  /** v' = αv + (1−α)g²; w' = w − lr·g / (√v' + ε). Tieleman & Hinton 2012; torch.optim.RMSprop. */
  rmsprop(
    parameters: Offset,
    parametersNext: Offset,
    second: Offset,
    secondNext: Offset,
    gradient: Offset,
    n: number,
    gradientScale: number,
    clipValue: number,
    learningRate: number,
    alpha: number,
    epsilon: number,
    weightDecay: number,
  ): void;
}

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
