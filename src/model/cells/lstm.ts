/** Long short-term memory with gates i, f, g, o. Hochreiter & Schmidhuber 1997, Gers et al. 2000; torch.nn.LSTM. */
import type { Cell } from './cell.ts';

export const lstm: Cell = {
  gates: 4,
  gateColumns: 4,
  hasCellState: true,
  recurrent: [{ row: 0, column: 0, count: 4, ownBias: false }],
  activations: [
    { gate: 'i', nonlinearity: 'sigmoid' },
    { gate: 'f', nonlinearity: 'sigmoid' },
    { gate: 'g', nonlinearity: 'tanh' },
    { gate: 'o', nonlinearity: 'sigmoid' },
  ],
  forward(kernels, at) {
    kernels.lstmForward(at.gates, at.cellBefore, at.cell, at.hidden, at.rows, at.width);
  },
  backward(kernels, at) {
    kernels.lstmBackward(at.gates, at.cellBefore, at.cell, at.dHidden, at.dCell, at.rows, at.width);
  },
};
