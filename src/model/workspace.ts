/** The regions of a network's working memory, declared in the arena's table. Pure. */
import type { MatrixKernels } from '../kernels/contract.ts';
import type { LaneRegions, LayerRegions, ShardRegions } from '../memory/layout.ts';
import type { TableBuilder } from '../memory/table.ts';
import { cellOf } from './cells/cell.ts';
import { BLOCK, type ParameterTable } from './parameters.ts';
import { inputWidth, type ModelSpec } from './spec.ts';

type Sizing = Pick<MatrixKernels, 'scratchLength'>;

/** Largest sizes that a shard's workspace must hold. */
export interface WorkspaceSizes {
  /** R: rows (streams) of the shard. */
  rows: number;
  /** T: time steps of a chunk. */
  times: number;
  /** Time steps of a block of the loss head in training. */
  headTimes: number;
  /** Rows of the largest block of the loss head: its time steps times the shard's rows. */
  logitRows: number;
  /** Rows of the largest lane; 0 where nothing is trained. */
  laneRows: number;
  /** Lanes in the whole run; 0 where nothing is trained. */
  lanes: number;
}

/** Words of all shards' logits together: bounds the loss head's memory, whatever the vocabulary. */
const HEAD_WORDS = 2 ** 22;

/**
 * Time steps that the loss head takes at once. Depends on the run's configuration only, because it cuts the sums
 * of the head's weight gradients.
 */
export function headTimes(spec: ModelSpec, streams: number, times: number): number {
  const block = Math.floor(HEAD_WORDS / (streams * spec.vocabulary));
  return Math.min(times, Math.max(1, block));
}

export function layoutShard(
  builder: TableBuilder,
  spec: ModelSpec,
  name: string,
  sizes: WorkspaceSizes,
  sizing: Sizing,
): ShardRegions {
  const { rows, times, laneRows } = sizes;
  const { hidden, embed, vocabulary } = spec;
  const cell = cellOf(spec);
  const distinct = Math.min(vocabulary, times * rows);
  const trains = laneRows > 0;
  const real = (part: string, ...shape: number[]) =>
    builder.add(`${name} ${part}`, 'float32', ...shape);
  const int = (part: string, ...shape: number[]) =>
    builder.add(`${name} ${part}`, 'int32', ...shape);
  const dHidden = () => (trains ? [times + 1, rows, hidden] : [0]);
  return {
    ids: int('ids', times, rows),
    targets: int('targets', times, rows),
    rows: int('embedding rows', times, rows),
    rowOfId: int('row of id', vocabulary),
    distinct: int('distinct ids', distinct),
    embedded: real('embedded', distinct, embed),
    projected: real('projected', distinct, cell.gates * hidden),
    layers: Array.from({ length: spec.layers }, (_, index) =>
      layoutLayer(builder, spec, `${name} layer ${index}`, sizes),
    ),
    dHidden: [real('dHidden a', ...dHidden()), real('dHidden b', ...dHidden())],
    dCell: real('dCell', trains && cell.hasCellState ? rows * hidden : 0),
    logits: real('logits', sizes.logitRows, vocabulary),
    losses: real('losses', times, rows),
    scratch: real('scratch', trains ? scratchWords(spec, sizes, distinct, sizing) : 0),
    tree: real('tree', trains ? Math.ceil(Math.log2(sizes.lanes + 1)) + 1 : 0, BLOCK),
  };
}

export function layoutLane(
  builder: TableBuilder,
  table: ParameterTable,
  name: string,
  laneTokens: number,
): LaneRegions {
  const { vocabulary, embed } = table.spec;
  return {
    dense: builder.add(`${name} gradient`, 'float32', table.paddedLength - table.embeddingPadded),
    embeddingRows: builder.add(
      `${name} embedding gradient`,
      'float32',
      Math.min(vocabulary, laneTokens),
      embed,
    ),
    rowOfId: builder.add(`${name} row of id`, 'int32', vocabulary),
  };
}

function layoutLayer(
  builder: TableBuilder,
  spec: ModelSpec,
  name: string,
  { rows, times }: WorkspaceSizes,
): LayerRegions {
  const { hidden, dropout } = spec;
  const cell = cellOf(spec);
  const states = [times + 1, rows, hidden];
  const hiddenRegion = builder.add(`${name} hidden`, 'float32', ...states);
  return {
    gates: builder.add(`${name} gates`, 'float32', times, rows, cell.gateColumns * hidden),
    hidden: hiddenRegion,
    cell: cell.hasCellState ? builder.add(`${name} cell`, 'float32', ...states) : 0,
    output: dropout > 0 ? builder.add(`${name} output`, 'float32', times, rows, hidden) : 0,
  };
}

function scratchWords(
  spec: ModelSpec,
  { times, laneRows, headTimes }: WorkspaceSizes,
  distinct: number,
  sizing: Sizing,
): number {
  const { hidden, vocabulary } = spec;
  const cell = cellOf(spec);
  const rows = cell.gates * hidden;
  return Math.max(
    ...cell.recurrent.map(({ count }) =>
      sizing.scratchLength(times, laneRows, count * hidden, hidden),
    ),
    ...Array.from({ length: spec.layers }, (_, layer) =>
      layer === 0
        ? sizing.scratchLength(1, distinct, rows, spec.embed)
        : sizing.scratchLength(times, laneRows, rows, inputWidth(spec, layer)),
    ),
    sizing.scratchLength(headTimes, laneRows, vocabulary, hidden),
  );
}
