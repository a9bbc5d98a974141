/** Loss head, row gathering and dropout. */
import type { TokenKernels } from '../contract.ts';
import { mix, ROW_STEP, UNIT_STEP } from '../mix.ts';
import type { Reals } from './rounding.ts';

export function tokenKernels(reals: Reals, ints: Int32Array): TokenKernels {
  return {
    softmaxCrossEntropy(logits, targets, rows, n, losses) {
      for (let r = 0; r < rows; r++) {
        const row = logits + r * n;
        let max = Number.NEGATIVE_INFINITY;
        for (let j = 0; j < n; j++) max = Math.max(max, reals[row + j]);
        let sum = 0;
        for (let j = 0; j < n; j++) sum += Math.exp(reals[row + j] - max);
        const target = row + ints[targets + r];
        reals[losses + r] = Math.log(sum) + max - reals[target];
        for (let j = 0; j < n; j++) reals[row + j] = Math.exp(reals[row + j] - max) / sum;
        reals[target] -= 1;
      }
    },
    gatherRows(source, sourceStride, index, rows, n, out, outStride) {
      for (let r = 0; r < rows; r++) {
        const from = source + ints[index + r] * sourceStride;
        for (let j = 0; j < n; j++) reals[out + r * outStride + j] = reals[from + j];
      }
    },
    scatterAddRows(
      a,
      aStride,
      aGroupStride,
      index,
      indexGroupStride,
      groups,
      rows,
      n,
      out,
      outStride,
    ) {
      for (let g = 0; g < groups; g++) {
        for (let r = 0; r < rows; r++) {
          const to = out + ints[index + g * indexGroupStride + r] * outStride;
          const from = a + g * aGroupStride + r * aStride;
          for (let j = 0; j < n; j++) reals[to + j] += reals[from + j];
        }
      }
    },
    dropout(source, out, rows, n, firstStream, key, threshold, scale) {
      for (let r = 0; r < rows; r++) {
        const rowKey = mix(key ^ Math.imul(firstStream + r, ROW_STEP));
        for (let j = 0; j < n; j++) {
          const kept = mix(rowKey + Math.imul(j, UNIT_STEP)) >>> 0 >= threshold;
          reals[out + r * n + j] = kept ? reals[source + r * n + j] * scale : 0;
        }
      }
    },
  };
}
