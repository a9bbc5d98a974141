/** Lays out the arena: every region of a run in one table. Pure; the same plan gives the same layout. */
import type { Kernels } from '../kernels/contract.ts';
import type { ArenaLayout, RingSlot, SampleRegions, SnapshotRegions } from '../memory/layout.ts';
import { type Offset, type Region, TableBuilder, WORD_BYTES } from '../memory/table.ts';
import { cellOf } from '../model/cells/cell.ts';
import { layoutPacked } from '../model/packing.ts';
import type { ParameterTable } from '../model/parameters.ts';
import { headTimes, layoutLane, layoutShard, layoutSubtree } from '../model/workspace.ts';
import { countPartials } from '../reduce/lane-reduction.ts';
import type { ShardPlan, Span } from './plan.ts';
import { MAX_STEPS_AT_ONCE } from './step-tasks.ts';

export interface TrainingPlan {
  /** N */
  streams: number;
  lanes: readonly Span[];
  shards: readonly ShardPlan[];
  /** Time steps of a block of the loss head. */
  headTimes: number;
  /** Vectors of optimizer state. */
  moments: number;
}

export interface ArenaPlan {
  table: ParameterTable;
  /** T */
  times: number;
  /** Absent where nothing is trained. */
  training?: TrainingPlan;
  /** Streams of each evaluation shard. */
  evaluation: readonly Span[];
}

/**
 * Most chunks that the loader is asked for at once, and their bytes: a request wakes the loader, and its answer the coordinator, which
 * is much beside a short step.
 */
const MAX_TOGETHER = 8;
const MAX_TOGETHER_BYTES = 2 ** 19;

export function layoutArena(plan: ArenaPlan, sizing: Kernels): ArenaLayout {
  const { table, times, training } = plan;
  const builder = new TableBuilder();
  const evaluationStreams = streamsOf(plan.evaluation);
  const vector = (name: string) => builder.add(name, 'float32', table.paddedLength);
  const carry = (name: string, streams: number) => addCarry(builder, table, name, streams);
  const sums = (name: string, length: number) =>
    Array.from({ length: MAX_STEPS_AT_ONCE + 1 }, (_, i) =>
      builder.add(`${name} ${i}`, 'float64', length),
    );

  const parameters = vector('parameters 0');
  const layout = {
    parameters: [parameters, training ? vector('parameters 1') : parameters] as const,
    moments: Array.from(
      { length: training?.moments ?? 0 },
      (_, i) => [vector(`moments ${i} 0`), vector(`moments ${i} 1`)] as const,
    ),
    gradient: training ? vector('gradient') : 0,
    partials: sums('partials', training ? countPartials(table) : 0),
    laneLosses: sums('partials of loss', training?.lanes.length ?? 0),
    packed: layoutPacked(builder, table, sizing),
    lanes: (training?.lanes ?? []).map(({ count }, i) =>
      layoutLane(builder, table, `lane ${i}`, times * count),
    ),
    subtrees: (training?.shards ?? [])
      .flatMap(({ subtrees }) => subtrees)
      .map((subtree, i) => layoutSubtree(builder, table, `subtree ${i}`, subtree)),
    carries: [
      carry('carry 0', training?.streams ?? 0),
      carry('carry 1', training?.streams ?? 0),
    ] as const,
    evaluationCarries: [
      carry('evaluation carry 0', evaluationStreams),
      carry('evaluation carry 1', evaluationStreams),
    ] as const,
    ring: training ? addRing(builder, 'ring', times, training.streams) : [],
    evaluationRing: addRing(builder, 'evaluation ring', times, evaluationStreams),
    shards: layoutShards(builder, plan, sizing),
    sample: addSample(builder, plan),
    snapshot: addSnapshot(builder, plan),
  };
  const arena = builder.build();
  return { words: arena.words, regions: arena.regions, ...layout };
}

/** Bytes of the arena by what they are for, in order of offset: the first word of the regions' names. */
export function memoryPlan({ regions }: Pick<ArenaLayout, 'regions'>): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { name, length, type } of regions) {
    const group = name.split(' ')[0];
    bytes.set(group, (bytes.get(group) ?? 0) + length * elementBytes(type));
  }
  return bytes;
}

function layoutShards(builder: TableBuilder, plan: ArenaPlan, sizing: Kernels) {
  const { table, times, training, evaluation } = plan;
  const { spec } = table;
  const evaluationTimes = headTimes(spec, Math.max(1, streamsOf(evaluation)), times);
  const trainingTimes = training?.headTimes ?? 0;
  const count = Math.max(training?.shards.length ?? 0, evaluation.length);
  return Array.from({ length: count }, (_, i) => {
    const trained = training?.shards[i]?.streams.count ?? 0;
    const evaluated = evaluation[i]?.count ?? 0;
    const sizes = {
      rows: Math.max(trained, evaluated),
      times,
      headTimes: trainingTimes,
      logitRows: Math.max(trainingTimes * trained, evaluationTimes * evaluated),
      training: training && {
        streams: training.streams,
        laneRows: training.lanes.reduce((most, { count }) => Math.max(most, count), 0),
        lanes: training.lanes.length,
        shardLanes: training.shards[i]?.lanes.count ?? 0,
        reductionParts: training.shards.length,
      },
    };
    return layoutShard(builder, spec, `shard ${i}`, sizes, sizing);
  });
}

function addCarry(
  builder: TableBuilder,
  table: ParameterTable,
  name: string,
  streams: number,
): Offset {
  const { spec } = table;
  const states = cellOf(spec).hasCellState ? 2 : 1;
  return builder.add(name, 'float32', states, spec.layers, streams, spec.hidden);
}

/** Slots for a chunk being computed, and for twice as many as are asked for at once, of which up to half are computed together. */
function addRing(builder: TableBuilder, name: string, times: number, streams: number): RingSlot[] {
  const bytes = 2 * WORD_BYTES * times * streams;
  const together = Math.max(1, Math.min(MAX_TOGETHER, Math.floor(MAX_TOGETHER_BYTES / bytes)));
  return Array.from({ length: 1 + 2 * together }, (_, i) =>
    addSlot(builder, `${name} ${i}`, times, streams),
  );
}

function addSlot(builder: TableBuilder, name: string, times: number, streams: number): RingSlot {
  return {
    ids: builder.add(`${name} ids`, 'int32', times, streams),
    targets: builder.add(`${name} targets`, 'int32', times, streams),
  };
}

function addSample(builder: TableBuilder, { table, training }: ArenaPlan): SampleRegions {
  const streams = training ? 1 : 0;
  const carry = (name: string) => addCarry(builder, table, name, streams);
  const slot = addSlot(builder, 'sample ring', 1, streams);
  return { slot, carries: [carry('sample carry 0'), carry('sample carry 1')] };
}

function addSnapshot(builder: TableBuilder, { table, training }: ArenaPlan): SnapshotRegions {
  const length = training ? table.paddedLength : 0;
  return {
    parameters: builder.add('snapshot parameters', 'float32', length),
    moments: Array.from({ length: training?.moments ?? 0 }, (_, i) =>
      builder.add(`snapshot moments ${i}`, 'float32', length),
    ),
    carries: addCarry(builder, table, 'snapshot carry', training?.streams ?? 0),
  };
}

function streamsOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { count }) => sum + count, 0);
}

function elementBytes(type: Region['type']): number {
  return type === 'float64' ? 2 * WORD_BYTES : WORD_BYTES;
}
