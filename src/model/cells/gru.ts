/**
 * Gated recurrent unit with gates r, z, n, the reset gate applied after the recurrent product. Cho et al. 2014;
 * torch.nn.GRU. The recurrent share of n has columns of its own, because r multiplies it alone.
 */
import type { Cell } from './cell.ts';

export const gru: Cell = {
  gates: 3,
  gateColumns: 4,
  hasCellState: false,
  recurrent: [
    { row: 0, column: 0, count: 2, ownBias: false },
    { row: 2, column: 3, count: 1, ownBias: true },
  ],
  activations: [
    { gate: 'r', nonlinearity: 'sigmoid' },
    { gate: 'z', nonlinearity: 'sigmoid' },
    { gate: 'n', nonlinearity: 'tanh' },
  ],
  forward(kernels, at) {
    kernels.gruForward(at.gates, at.hiddenBefore, at.hidden, at.rows, at.width);
  },
  backward(kernels, at) {
    kernels.gruBackward(at.gates, at.hiddenBefore, at.dHidden, at.dHiddenBefore, at.rows, at.width);
  },
};
