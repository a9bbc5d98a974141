/** What works on tokens: loss, embedding, dropout. Part of the kernel contract (../contract.ts). */
import type { Offset } from '../../memory/table.ts';

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
   * out (R, n) = source ⊙ keep · scale. The unit j of row r is kept where bits(r, j) ≥ threshold (in [0, 2³²)), with
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
