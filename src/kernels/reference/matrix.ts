/** Matrix products, plain: the packed form is the matrix itself, row-major (k, n). Sums in float64. */
import type { Offset } from '../../memory/table.ts';
import { type MatrixKernels, START, type Start } from '../contract.ts';
import { leftLanes } from '../lane-tree.ts';
import { type Reals, roundingOf } from './rounding.ts';

export function matrixKernels(reals: Reals, ints: Int32Array): MatrixKernels {
  // A sum over lanes is rounded at each node, so that any worker may compute any subtree of it.
  const stored = roundingOf(reals);
  return {
    panelColumns: 1,
    packedLength: (k, n) => k * n,
    pack(source, stride, transposed, _k, n, firstRow, rows, firstColumn, columns, packed) {
      for (let i = firstRow; i < firstRow + rows; i++) {
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
      laneRows,
      lanes,
      c,
      cStride,
      m,
      n,
      accumulate,
    ) {
      const sumOfRows = (first: number, rows: number, i: number, j: number) => {
        let sum = 0;
        for (let g = 0; g < groups; g++) {
          for (let r = first; r < first + rows; r++) {
            sum +=
              reals[a + g * aGroupStride + r * aStride + i] *
              reals[b + g * bGroupStride + r * bStride + j];
          }
        }
        return stored(sum);
      };
      const firstRows = Array.from({ length: lanes }, (_, lane) =>
        ints.subarray(laneRows, laneRows + lane).reduce((sum, rows) => sum + rows, 0),
      );
      const sumOfLanes = (first: number, count: number, i: number, j: number): number => {
        if (count === 1) return sumOfRows(firstRows[first], ints[laneRows + first], i, j);
        const left = leftLanes(count);
        return stored(sumOfLanes(first, left, i, j) + sumOfLanes(first + left, count - left, i, j));
      };
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          const before = accumulate ? reals[c + i * cStride + j] : 0;
          reals[c + i * cStride + j] = before + sumOfLanes(0, lanes, i, j);
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
