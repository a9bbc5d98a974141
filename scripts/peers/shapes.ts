/** What is trained: by every system the same. */

export interface Shape {
  /** As --shapes takes it. */
  name: string;
  cell: 'rnn' | 'lstm' | 'gru';
  /** L and H; the embedding is as wide as H. */
  layers: number;
  hidden: number;
  /** N, T and V */
  batch: number;
  chunk: number;
  vocab: number;
}

export const SHAPES: readonly Shape[] = [
  shape('lstm', 2, 128, 50, 50),
  shape('lstm', 2, 256, 64, 64),
  shape('lstm', 2, 512, 64, 64),
  shape('lstm', 1, 1024, 64, 32),
  shape('gru', 2, 256, 64, 64),
  shape('rnn', 2, 256, 64, 64),
];

/** The one that TensorFlow.js and brain.js are measured on: a step takes them seconds already. */
export const SMALLEST_SHAPE = SHAPES[0];

function shape(
  cell: Shape['cell'],
  layers: number,
  hidden: number,
  batch: number,
  chunk: number,
): Shape {
  return { name: `${cell}-${layers}x${hidden}`, cell, layers, hidden, batch, chunk, vocab: 65 };
}

/** "LSTM 2×128 N50 T50" */
export function describeShape({ cell, layers, hidden, batch, chunk }: Shape): string {
  return `${cell.toUpperCase()} ${layers}×${hidden} N${batch} T${chunk}`;
}
