/** The regions of a network's working memory, declared in the arena's table. Pure. */
import type { Kernels } from '../kernels/contract.ts';
import type { Subtree } from '../kernels/lane-tree.ts';
import type { LaneRegions, LayerRegions, ShardRegions, SubtreeRegions } from '../memory/layout.ts';
import type { TableBuilder } from '../memory/table.ts';
import { cellOf } from './cells/cell.ts';
import { BLOCK, type ParameterTable, WEIGHT_ROWS } from './parameters.ts';
import { inputWidth, type ModelSpec } from './spec.ts';

type Sizing = Pick<Kernels, 'scratchLength' | 'sumScratchLength'>;

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
  /** Absent where nothing is trained. */
  training?: {
    /** N */
    streams: number;
    /** Rows of the largest lane. */
    laneRows: number;
    /** S, and how many of them the shard has. */
    lanes: number;
    shardLanes: number;
    /** Parts in which the reduction is shared out. */
    reductionParts: number;
  };
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
  const { rows, times, training } = sizes;
  const { hidden, embed, vocabulary } = spec;
  const cell = cellOf(spec);
  const { distinct, projected } = inputSizes(spec, sizes);
  const real = (part: string, ...shape: number[]) =>
    builder.add(`${name} ${part}`, 'float32', ...shape);
  const int = (part: string, ...shape: number[]) =>
    builder.add(`${name} ${part}`, 'int32', ...shape);
  const dHidden = () => (training ? [times + 1, rows, hidden] : [0]);
  const headSums = training && sizes.headTimes < times ? training.shardLanes : 0;
  return {
    ids: int('ids', times, rows),
    targets: int('targets', times, rows),
    rows: int('embedding rows', times, rows),
    rowOfId: int('row of id', vocabulary),
    distinct: int('distinct ids', distinct),
    distinctCount: int('distinct ids, their number', 1),
    embedded: real('embedded', distinct, embed),
    projected: real('projected', projected),
    layers: Array.from({ length: spec.layers }, (_, index) =>
      layoutLayer(builder, spec, `${name} layer ${index}`, sizes),
    ),
    dHidden: [real('dHidden a', ...dHidden()), real('dHidden b', ...dHidden())],
    dCell: real('dCell', training && cell.hasCellState ? rows * hidden : 0),
    logits: real('logits', sizes.logitRows, vocabulary),
    losses: real('losses', times, rows),
    headSums: real('head sums', headSums, headWords(spec)),
    scratch: real('scratch', scratchWords(spec, sizes, distinct, sizing)),
    tree: real('tree', training ? treeWords(training.lanes, sizing) : 0),
    lanePlaces: int('lane places', training?.lanes ?? 0),
  };
}

/** Scratch of the tree over lanes, whether a kernel walks it or `sumTree` does, a block at a time. */
function treeWords(lanes: number, sizing: Sizing): number {
  const levels = Math.ceil(Math.log2(lanes + 1)) + 1;
  return Math.max(levels * BLOCK, sizing.sumScratchLength(lanes));
}

/** Gradients of the head's weight and bias, one after the other. */
export function headWords({ vocabulary, hidden }: ModelSpec): number {
  return vocabulary * (hidden + 1);
}

/** Distinct ids at most, and words of their projections: of the shard's in a chunk, of a part of all in the reduction. */
function inputSizes(spec: ModelSpec, { rows, times, training }: WorkspaceSizes) {
  const { hidden, vocabulary } = spec;
  const width = cellOf(spec).gates * hidden;
  const distinct = Math.min(vocabulary, times * rows);
  if (!training) return { distinct, projected: distinct * width };
  const { streams, reductionParts: parts } = training;
  const all = Math.min(vocabulary, times * streams);
  const groups = Math.ceil(Math.ceil(width / WEIGHT_ROWS) / parts);
  const columns = Math.min(groups * WEIGHT_ROWS, width);
  const inReduction = Math.max(all * columns, Math.ceil(all / parts) * width);
  return {
    distinct: Math.max(distinct, all),
    projected: Math.max(distinct * width, inReduction),
  };
}

export function layoutLane(
  builder: TableBuilder,
  table: ParameterTable,
  name: string,
  laneTokens: number,
): LaneRegions {
  const { vocabulary, hidden } = table.spec;
  const rows = Math.min(vocabulary, laneTokens);
  const width = cellOf(table.spec).gates * hidden;
  return {
    gatesOfIds: builder.add(`${name} gates of ids`, 'float32', rows, width),
    rowOfId: builder.add(`${name} row of id`, 'int32', vocabulary),
  };
}

export function layoutSubtree(
  builder: TableBuilder,
  table: ParameterTable,
  name: string,
  { first, count }: Subtree,
): SubtreeRegions {
  return {
    firstLane: first,
    lanes: count,
    gradient: builder.add(`${name} gradient`, 'float32', table.paddedLength - table.inputPadded),
    laneRows: builder.add(`${name} lane rows`, 'int32', count),
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
  { times, training, headTimes }: WorkspaceSizes,
  distinct: number,
  sizing: Sizing,
): number {
  if (!training) return 0;
  const { laneRows, shardLanes: lanes } = training;
  const { hidden, vocabulary } = spec;
  const cell = cellOf(spec);
  const rows = cell.gates * hidden;
  return Math.max(
    ...cell.recurrent.map(({ count }) =>
      sizing.scratchLength(times, laneRows, lanes, count * hidden, hidden),
    ),
    ...Array.from({ length: spec.layers }, (_, layer) =>
      layer === 0
        ? sizing.scratchLength(1, distinct, 1, rows, spec.embed)
        : sizing.scratchLength(times, laneRows, lanes, rows, inputWidth(spec, layer)),
    ),
    sizing.scratchLength(headTimes, laneRows, lanes, vocabulary, hidden),
  );
}
