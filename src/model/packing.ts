/**
 * Weights in the form that `multiply` reads, packed once a step for all workers. Pure but for the kernels.
 * The work is a list of jobs that may be shared out over threads in any way.
 */
import type { Kernels, MatrixKernels } from '../kernels/contract.ts';
import type { PackedLayer, PackedRegions } from '../memory/layout.ts';
import type { Offset, TableBuilder } from '../memory/table.ts';
import { cellOf } from './cells/cell.ts';
import type { ParameterTable } from './parameters.ts';
import { inputWidth } from './spec.ts';

type Sizing = Pick<MatrixKernels, 'packedLength' | 'panelColumns'>;

/** One matrix b (k, n) to pack; `source` counts from the start of the parameter vector. */
interface PackedMatrix {
  source: number;
  stride: number;
  transposed: 0 | 1;
  k: number;
  n: number;
  packed: Offset;
}

/** Some columns of one matrix: a unit of work. */
export interface PackJob extends PackedMatrix {
  firstColumn: number;
  columns: number;
}

/** Columns of one job: small enough to share out evenly, a multiple of every backend's panel. */
const JOB_COLUMNS = 192;

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

/** All jobs of one packing, in a fixed order. */
export function packJobs(table: ParameterTable, regions: PackedRegions, sizing: Sizing): PackJob[] {
  if (JOB_COLUMNS % sizing.panelColumns !== 0) {
    throw new Error(`Panels of ${sizing.panelColumns} columns do not divide ${JOB_COLUMNS}`);
  }
  return packedMatrices(table, regions).flatMap((matrix) =>
    Array.from({ length: Math.ceil(matrix.n / JOB_COLUMNS) }, (_, i) => {
      const firstColumn = i * JOB_COLUMNS;
      return { ...matrix, firstColumn, columns: Math.min(JOB_COLUMNS, matrix.n - firstColumn) };
    }),
  );
}

export function runPackJob(kernels: MatrixKernels, parameters: Offset, job: PackJob): void {
  const { source, stride, transposed, k, n, firstColumn, columns, packed } = job;
  kernels.pack(parameters + source, stride, transposed, k, n, firstColumn, columns, packed);
}

/** The biases that start each layer's input projection. */
export function combineBiases(
  kernels: Kernels,
  table: ParameterTable,
  parameters: Offset,
  regions: PackedRegions,
): void {
  const { hidden } = table.spec;
  const cell = cellOf(table.spec);
  for (const [layer, { bias }] of regions.layers.entries()) {
    const inputBias = parameters + table.get(`rnn.bias_ih_l${layer}`).start;
    const recurrentBias = parameters + table.get(`rnn.bias_hh_l${layer}`).start;
    kernels.copy(inputBias, bias, cell.gates * hidden);
    for (const { row, count, ownBias } of cell.recurrent) {
      const at = row * hidden;
      if (!ownBias) kernels.add(bias + at, recurrentBias + at, bias + at, count * hidden);
    }
  }
}

function packedMatrices(table: ParameterTable, regions: PackedRegions): PackedMatrix[] {
  const { spec } = table;
  const { hidden, vocabulary } = spec;
  const cell = cellOf(spec);
  const rows = cell.gates * hidden;
  const layers = regions.layers.flatMap((layer, index) => {
    const input = inputWidth(spec, index);
    const weightInput = table.get(`rnn.weight_ih_l${index}`).start;
    const weightHidden = table.get(`rnn.weight_hh_l${index}`).start;
    return [
      ...bothWays(weightInput, rows, input, layer.inputForward, layer.inputBackward),
      ...cell.recurrent.flatMap((block, i) =>
        bothWays(
          weightHidden + block.row * hidden * hidden,
          block.count * hidden,
          hidden,
          layer.recurrentForward[i],
          layer.recurrentBackward[i],
        ),
      ),
    ];
  });
  const head = table.get('head.weight').start;
  return [
    ...layers,
    ...bothWays(head, vocabulary, hidden, regions.headForward, regions.headBackward),
  ];
}

/** A weight (rows, columns) as the right operand of a forward product (its transpose) and of a backward one. */
function bothWays(
  source: number,
  rows: number,
  columns: number,
  forward: Offset,
  backward: Offset,
): PackedMatrix[] {
  const stride = columns;
  return [
    { source, stride, transposed: 1, k: columns, n: rows, packed: forward },
    { source, stride, transposed: 0, k: rows, n: columns, packed: backward },
  ];
}
