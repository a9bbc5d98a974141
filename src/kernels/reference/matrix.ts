/** Matrix products, plain: the packed form is the matrix itself, row-major (k, n). Sums in float64. */
import type { Offset } from '../../memory/table.ts';
import { type MatrixKernels, START, type Start } from '../contract.ts';
import type { Reals } from './kernels.ts';

export function matrixKernels(reals: Reals): MatrixKernels {
  return {
    panelColumns: 1,
    packedLength: (k, n) => k * n,
    pack(source, stride, transposed, k, n, firstColumn, columns, packed) {
      for (let i = 0; i < k; i++) {
        for (let j = firstColumn; j < firstColumn + columns; j++) {
          reals[packed + i * n + j] =
            reals[source + (transposed ? j * stride + i : i * stride + j)];
        }
      }
    },
    multiply(a, aStride, packed, c, cStride, m, k, n, start, bias) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = startValue(start, c + i * cStride + j, bias + j);
          for (let p = 0; p < k; p++) sum += reals[a + i * aStride + p] * reals[packed + p * n + j];
          reals[c + i * cStride + j] = sum;
        }
      }
    },
    scratchLength: () => 0,
    multiplyTransposed(
      a,
      aStride,
      aGroupStride,
      b,
      bStride,
      bGroupStride,
      groups,
      rows,
      c,
      cStride,
      m,
      n,
      accumulate,
    ) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = accumulate ? reals[c + i * cStride + j] : 0;
          for (let g = 0; g < groups; g++) {
            for (let r = 0; r < rows; r++) {
              sum +=
                reals[a + g * aGroupStride + r * aStride + i] *
                reals[b + g * bGroupStride + r * bStride + j];
            }
          }
          reals[c + i * cStride + j] = sum;
        }
      }
    },
    sumRows(a, aStride, aGroupStride, groups, rows, n, accumulate, out) {
      for (let j = 0; j < n; j++) {
        let sum = accumulate ? reals[out + j] : 0;
        for (let g = 0; g < groups; g++) {
          for (let r = 0; r < rows; r++) sum += reals[a + g * aGroupStride + r * aStride + j];
        }
        reals[out + j] = sum;
      }
    },
  };

  function startValue(start: Start, c: Offset, bias: Offset): number {
    if (start === START.zero) return 0;
    return reals[start === START.bias ? bias : c];
  }
}
