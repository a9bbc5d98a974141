/** h = act(Wᵢₕx + bᵢₕ + Wₕₕh₋₁ + bₕₕ), act = tanh or ReLU. Elman 1990; torch.nn.RNN. */
import type { Cell } from './cell.ts';

export function rnn(activation: 'tanh' | 'relu'): Cell {
  const relu = activation === 'relu' ? 1 : 0;
  return {
    gates: 1,
    gateColumns: 1,
    hasCellState: false,
    recurrent: [{ row: 0, column: 0, count: 1, ownBias: false }],
    activations: [{ gate: 'h', nonlinearity: activation }],
    forward(kernels, at) {
      kernels.rnnForward(at.gates, at.hidden, at.rows, at.width, relu);
    },
    backward(kernels, at) {
      kernels.rnnBackward(at.gates, at.hidden, at.dHidden, at.rows, at.width, relu);
    },
  };
}
