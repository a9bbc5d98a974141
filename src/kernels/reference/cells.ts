/** The cells' equations, one unit at a time. */
import type { CellKernels } from '../contract.ts';
import type { Reals } from './rounding.ts';

export function cellKernels(reals: Reals): CellKernels {
  return {
    rnnForward(gates, hidden, rows, width, relu) {
      for (let i = 0; i < rows * width; i++) {
        const z = reals[gates + i];
        reals[hidden + i] = relu ? Math.max(z, 0) : Math.tanh(z);
      }
    },
    rnnBackward(gates, hidden, dHidden, rows, width, relu) {
      for (let i = 0; i < rows * width; i++) {
        const h = reals[hidden + i];
        const slope = relu ? (h > 0 ? 1 : 0) : 1 - h * h;
        reals[gates + i] = reals[dHidden + i] * slope;
      }
    },
    lstmForward(gates, cellBefore, cell, hidden, rows, width) {
      forEachUnit(rows, width, (unit, row, j) => {
        const gate = gates + row * 4 * width + j;
        const i = sigmoid(reals[gate]);
        const f = sigmoid(reals[gate + width]);
        const g = Math.tanh(reals[gate + 2 * width]);
        const o = sigmoid(reals[gate + 3 * width]);
        const c = f * reals[cellBefore + unit] + i * g;
        reals[gate] = i;
        reals[gate + width] = f;
        reals[gate + 2 * width] = g;
        reals[gate + 3 * width] = o;
        reals[cell + unit] = c;
        reals[hidden + unit] = o * Math.tanh(c);
      });
    },
    lstmBackward(gates, cellBefore, cell, dHidden, dCell, rows, width) {
      forEachUnit(rows, width, (unit, row, j) => {
        const gate = gates + row * 4 * width + j;
        const i = reals[gate];
        const f = reals[gate + width];
        const g = reals[gate + 2 * width];
        const o = reals[gate + 3 * width];
        const tanhCell = Math.tanh(reals[cell + unit]);
        const dh = reals[dHidden + unit];
        const dc = reals[dCell + unit] + dh * o * (1 - tanhCell * tanhCell);
        reals[gate] = dc * g * i * (1 - i);
        reals[gate + width] = dc * reals[cellBefore + unit] * f * (1 - f);
        reals[gate + 2 * width] = dc * i * (1 - g * g);
        reals[gate + 3 * width] = dh * tanhCell * o * (1 - o);
        reals[dCell + unit] = dc * f;
      });
    },
    gruForward(gates, hiddenBefore, hidden, rows, width) {
      forEachUnit(rows, width, (unit, row, j) => {
        const gate = gates + row * 4 * width + j;
        const r = sigmoid(reals[gate]);
        const z = sigmoid(reals[gate + width]);
        const n = Math.tanh(reals[gate + 2 * width] + r * reals[gate + 3 * width]);
        reals[gate] = r;
        reals[gate + width] = z;
        reals[gate + 2 * width] = n;
        reals[hidden + unit] = (1 - z) * n + z * reals[hiddenBefore + unit];
      });
    },
    gruBackward(gates, hiddenBefore, dHidden, dHiddenBefore, rows, width) {
      forEachUnit(rows, width, (unit, row, j) => {
        const gate = gates + row * 4 * width + j;
        const r = reals[gate];
        const z = reals[gate + width];
        const n = reals[gate + 2 * width];
        const u = reals[gate + 3 * width];
        const dh = reals[dHidden + unit];
        const dn = dh * (1 - z) * (1 - n * n);
        reals[gate] = dn * u * r * (1 - r);
        reals[gate + width] = dh * (reals[hiddenBefore + unit] - n) * z * (1 - z);
        reals[gate + 2 * width] = dn;
        reals[gate + 3 * width] = dn * r;
        reals[dHiddenBefore + unit] += dh * z;
      });
    },
  };
}

function forEachUnit(
  rows: number,
  width: number,
  visit: (unit: number, row: number, j: number) => void,
): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < width; j++) visit(row * width + j, row, j);
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
