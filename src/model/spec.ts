/** What a network is: the sizes that determine its parameters and its arithmetic. A leaf. */

export type CellName = 'rnn' | 'lstm' | 'gru';

export interface ModelSpec {
  readonly cell: CellName;
  /** Of the vanilla RNN; tanh in the other cells. */
  readonly activation: 'tanh' | 'relu';
  /** V: ids are 0 … V−1. */
  readonly vocabulary: number;
  /** E */
  readonly embed: number;
  /** H, of every layer */
  readonly hidden: number;
  /** L */
  readonly layers: number;
  /** Rate on the output of every recurrent layer while training, [0, 1). */
  readonly dropout: number;
}

/** Rows of a layer's weight matrices in units of H: the gates of the cell. */
export const GATES: Readonly<Record<CellName, number>> = { rnn: 1, lstm: 4, gru: 3 };

/** Width of the input of a recurrent layer: E for the first, H for the others. */
export function inputWidth(spec: ModelSpec, layer: number): number {
  return layer === 0 ? spec.embed : spec.hidden;
}
