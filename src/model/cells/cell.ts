/** What a recurrent layer needs to know of its cell. */
import type { CellKernels } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import type { ModelSpec } from '../spec.ts';
import { gru } from './gru.ts';
import { lstm } from './lstm.ts';
import { rnn } from './rnn.ts';

/** Offsets of one time step of one layer. Reused from step to step: the time loop allocates nothing. */
export interface CellStep {
  gates: Offset;
  hiddenBefore: Offset;
  hidden: Offset;
  cellBefore: Offset;
  cell: Offset;
  dHiddenBefore: Offset;
  dHidden: Offset;
  dCell: Offset;
  rows: number;
  width: number;
}

/** Rows of Wₕₕ whose product goes to one range of gate columns; in units of H. */
export interface RecurrentBlock {
  readonly row: number;
  readonly column: number;
  readonly count: number;
  /** The product starts from its part of bₕₕ, instead of being added to the input's projection. */
  readonly ownBias: boolean;
}

export type Nonlinearity = 'sigmoid' | 'tanh' | 'relu';

/** What a gate's columns of the workspace hold after forward. */
export interface Activation {
  readonly gate: string;
  readonly nonlinearity: Nonlinearity;
}

export interface Cell {
  /** Rows of the weight matrices, in units of H; the first columns of the workspace, which the input feeds. */
  readonly gates: number;
  /** Width of the workspace, in units of H. */
  readonly gateColumns: number;
  /** A cell state is carried beside the hidden state. */
  readonly hasCellState: boolean;
  readonly recurrent: readonly RecurrentBlock[];
  /** In order of the gates' columns; of a cell of one gate, its hidden states. */
  readonly activations: readonly Activation[];
  forward(kernels: CellKernels, step: CellStep): void;
  backward(kernels: CellKernels, step: CellStep): void;
}

export function cellOf(spec: Pick<ModelSpec, 'cell' | 'activation'>): Cell {
  if (spec.cell === 'lstm') return lstm;
  if (spec.cell === 'gru') return gru;
  return rnn(spec.activation);
}
