/**
 * The reference backend: plain TypeScript, obvious, float64 accumulation. It defines what every other
 * backend must compute, up to rounding, and is the oracle of every test.
 */
import type { Kernels, VectorKernels } from '../contract.ts';
import { leftLanes } from '../lane-tree.ts';
import { cellKernels } from './cells.ts';
import { matrixKernels } from './matrix.ts';
import { optimizerKernels } from './optimizers.ts';
import { type Reals, roundingOf } from './rounding.ts';
import { tokenKernels } from './tokens.ts';

/**
 * `reals` and `ints` are indexed by the same offsets. In a run both are views of the arena; a gradient
 * check passes a Float64Array and an Int32Array of their own.
 */
export function createReferenceKernels(reals: Reals, ints: Int32Array): Kernels {
  return {
    backend: 'reference',
    variant: 'reference',
    ...matrixKernels(reals, ints),
    ...cellKernels(reals),
    ...tokenKernels(reals, ints),
    ...vectorKernels(reals, ints),
    ...optimizerKernels(reals),
    multiplyAddLoop,
  };
}

/** One chain: a scalar engine has no more to show. */
function multiplyAddLoop(iterations: number): number {
  let value = 0.1;
  for (let i = 0; i < iterations; i++) value = value * 0.9999 + 0.0001;
  return 2 * iterations + (Number.isNaN(value) ? 1 : 0);
}

function vectorKernels(reals: Reals, ints: Int32Array): VectorKernels {
  const stored = roundingOf(reals);
  return {
    add(a, b, out, n) {
      for (let i = 0; i < n; i++) reals[out + i] = reals[a + i] + reals[b + i];
    },
    sumScratchLength: () => 0,
    sumLanes(base, places, lanes, n, out) {
      const sum = (first: number, count: number, i: number): number | undefined => {
        if (count === 1) {
          const place = ints[places + first];
          return place === 0 ? undefined : reals[base + place + i];
        }
        const half = leftLanes(count);
        const left = sum(first, half, i);
        const right = sum(first + half, count - half, i);
        if (left === undefined || right === undefined) return left ?? right;
        return stored(left + right);
      };
      for (let i = 0; i < n; i++) reals[out + i] = sum(0, lanes, i) ?? 0;
    },
    copy(source, out, n) {
      reals.copyWithin(out, source, source + n);
    },
    fill(out, n, value) {
      reals.fill(value, out, out + n);
    },
    sumOfSquares(a, n) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += reals[a + i] ** 2;
      return sum;
    },
  };
}
