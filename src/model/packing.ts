/**
 * The parameter vector in pieces, and the weights in the form that `multiply` reads, packed once a step for all workers. Pure
 * but for the kernels. A piece is updated and packed at once, and any thread may take any of them.
 */
import type { Kernels, MatrixKernels } from '../kernels/contract.ts';
import type { PackedLayer, PackedRegions } from '../memory/layout.ts';
import type { Offset, TableBuilder } from '../memory/table.ts';
import { cellOf } from './cells/cell.ts';
import { BLOCK, type Parameter, type ParameterTable } from './parameters.ts';
import { inputWidth } from './spec.ts';

type Sizing = Pick<MatrixKernels, 'packedLength' | 'panelColumns'>;

/** Some consecutive elements of the parameter vector. */
export interface Piece {
  /** Counts from the start of the vector. */
  readonly start: number;
  readonly length: number;
  /** Of a weight that products read: which of its rows the piece is. */
  readonly rows?: WeightRows;
  /** The layer whose biases the piece is, both of them. */
  readonly biasesOf?: number;
}

/** Rows [first, first + count) of a weight. */
interface WeightRows {
  readonly weight: Weight;
  readonly first: number;
  readonly count: number;
}

/** A weight (height, width) as the right operand of a forward product (its transpose) and of a backward one. */
interface Weight {
  /** Counts from the start of the parameter vector. */
  readonly source: number;
  readonly height: number;
  readonly width: number;
  readonly forward: Offset;
  readonly backward: Offset;
}

/** Rows of the smallest piece of a weight, about: they are columns of its transpose, and make up whole panels. */
const LEAST_ROWS = 32;
/** Elements of a piece: with its gradient and moments in the cache until it is packed; enough pieces to share out evenly. */
const PIECE_LENGTH = 8 * BLOCK;

/** Declares the packed regions. */
export function layoutPacked(
  builder: TableBuilder,
  table: ParameterTable,
  sizing: Sizing,
): PackedRegions {
  const { spec } = table;
  const { hidden, layers, vocabulary } = spec;
  const cell = cellOf(spec);
  const reserve = (name: string, k: number, n: number) =>
    builder.add(`packed ${name}`, 'float32', sizing.packedLength(k, n));
  const rows = cell.gates * hidden;
  return {
    layers: Array.from({ length: layers }, (_, layer): PackedLayer => {
      const input = inputWidth(spec, layer);
      const counts = cell.recurrent.map(({ count }) => count * hidden);
      return {
        inputForward: reserve(`W_ih^T l${layer}`, input, rows),
        inputBackward: reserve(`W_ih l${layer}`, rows, input),
        recurrentForward: counts.map((n, i) => reserve(`W_hh^T l${layer}.${i}`, hidden, n)),
        recurrentBackward: counts.map((k, i) => reserve(`W_hh l${layer}.${i}`, k, hidden)),
        bias: builder.add(`packed bias l${layer}`, 'float32', rows),
      };
    }),
    headForward: reserve('head^T', hidden, vocabulary),
    headBackward: reserve('head', vocabulary, hidden),
  };
}

/** All pieces, in the order of the vector; only the padding between parameters is in none. */
export function parameterPieces(
  table: ParameterTable,
  regions: PackedRegions,
  { panelColumns }: Sizing,
): Piece[] {
  const leastRows = panelColumns * Math.max(1, Math.floor(LEAST_ROWS / panelColumns));
  const cut = (weight: Weight) => weightPieces(weight, leastRows);
  const layers = regions.layers.flatMap((layer, index) => layerPieces(table, layer, index, cut));
  const head = table.get('head.weight');
  const [vocabulary, hidden] = head.shape;
  const { headForward: forward, headBackward: backward } = regions;
  return [
    ...runs(table.get('embedding.weight')),
    ...layers,
    ...cut({ source: head.start, height: vocabulary, width: hidden, forward, backward }),
    ...runs(table.get('head.bias')),
  ];
}

/** Packs a piece of the parameter vector that begins at `parameters`, if it is one that is packed. */
export function packPiece(
  kernels: Kernels,
  table: ParameterTable,
  parameters: Offset,
  regions: PackedRegions,
  { rows, biasesOf }: Piece,
): void {
  if (rows) packRows(kernels, parameters, rows);
  if (biasesOf !== undefined) combineBiases(kernels, table, parameters, regions, biasesOf);
}

/** Packs the whole vector on the calling thread. */
export function packAll(
  kernels: Kernels,
  table: ParameterTable,
  parameters: Offset,
  regions: PackedRegions,
): void {
  for (const piece of parameterPieces(table, regions, kernels)) {
    packPiece(kernels, table, parameters, regions, piece);
  }
}

function packRows(
  kernels: MatrixKernels,
  parameters: Offset,
  { weight: { source, height, width, forward, backward }, first, count }: WeightRows,
): void {
  const from = parameters + source;
  kernels.pack(from, width, 1, width, height, 0, width, first, count, forward);
  kernels.pack(from, width, 0, height, width, first, count, 0, width, backward);
}

/** The biases that start a layer's input projection. */
function combineBiases(
  kernels: Kernels,
  table: ParameterTable,
  parameters: Offset,
  { layers }: PackedRegions,
  layer: number,
): void {
  const { hidden } = table.spec;
  const cell = cellOf(table.spec);
  const { bias } = layers[layer];
  const inputBias = parameters + table.get(`rnn.bias_ih_l${layer}`).start;
  const recurrentBias = parameters + table.get(`rnn.bias_hh_l${layer}`).start;
  kernels.copy(inputBias, bias, cell.gates * hidden);
  for (const { row, count, ownBias } of cell.recurrent) {
    const at = row * hidden;
    if (!ownBias) kernels.add(bias + at, recurrentBias + at, bias + at, count * hidden);
  }
}

function layerPieces(
  table: ParameterTable,
  packed: PackedLayer,
  layer: number,
  cut: (weight: Weight) => Piece[],
): Piece[] {
  const { hidden } = table.spec;
  const weightInput = table.get(`rnn.weight_ih_l${layer}`);
  const weightHidden = table.get(`rnn.weight_hh_l${layer}`).start;
  const [height, width] = weightInput.shape;
  const { inputForward: forward, inputBackward: backward } = packed;
  return [
    ...cut({ source: weightInput.start, height, width, forward, backward }),
    ...cellOf(table.spec).recurrent.flatMap(({ row, count }, i) =>
      cut({
        source: weightHidden + row * hidden * hidden,
        height: count * hidden,
        width: hidden,
        forward: packed.recurrentForward[i],
        backward: packed.recurrentBackward[i],
      }),
    ),
    biasPiece(table, layer),
  ];
}

function weightPieces(weight: Weight, leastRows: number): Piece[] {
  const { source, height, width } = weight;
  const together = leastRows * Math.max(1, Math.floor(PIECE_LENGTH / (leastRows * width)));
  return Array.from({ length: Math.ceil(height / together) }, (_, i) => {
    const first = i * together;
    const count = Math.min(together, height - first);
    return { start: source + first * width, length: count * width, rows: { weight, first, count } };
  });
}

/** From the first of the input biases to the last of the recurrent ones. */
function biasPiece(table: ParameterTable, layer: number): Piece {
  const { start } = table.get(`rnn.bias_ih_l${layer}`);
  const recurrent = table.get(`rnn.bias_hh_l${layer}`);
  return { start, length: recurrent.start + recurrent.length - start, biasesOf: layer };
}

/** A parameter that no product reads packed. */
function runs({ start, length }: Parameter): Piece[] {
  return Array.from({ length: Math.ceil(length / PIECE_LENGTH) }, (_, i) => {
    const first = i * PIECE_LENGTH;
    return { start: start + first, length: Math.min(PIECE_LENGTH, length - first) };
  });
}
