/** Plans and starts what computes: arena, compute pool and coordinator, for training or for evaluation alone. */
import { formatBytes } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { createKernels, type KernelChoice } from '../kernels/backend.ts';
import type { Kernels } from '../kernels/contract.ts';
import { type ArenaViews, createArena, MAX_ARENA_BYTES, viewArena } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import { WORD_BYTES } from '../memory/table.ts';
import type { InitRecipe } from '../model/init.ts';
import { type Piece, parameterPieces } from '../model/packing.ts';
import { ParameterTable } from '../model/parameters.ts';
import type { ModelSpec } from '../model/spec.ts';
import { headTimes } from '../model/workspace.ts';
import { momentCount, type OptimizerSettings } from '../optimizer/update.ts';
import { ComputePool } from '../pool/compute-pool.ts';
import type { ComputeTraining } from '../pool/compute-protocol.ts';
import type { PoolOptions } from '../pool/crew.ts';
import { Coordinator } from './coordinator.ts';
import { layoutArena } from './layout.ts';
import { cut, planShards, type ShardPlan, type Span } from './plan.ts';

/** What a thread with its kernels takes, before any task: 12 MiB on Linux with Node.js 20. */
const LEAST_THREAD_BYTES = 8 * 2 ** 20;

export interface EngineRequest {
  spec: ModelSpec;
  /** T */
  times: number;
  workers: number;
  kernels: KernelChoice;
  /** Streams of an evaluation; 0 for none. */
  evaluationStreams: number;
  /** Absent where nothing is trained. */
  training?: {
    /** N and S */
    streams: number;
    lanes: number;
    optimizer: OptimizerSettings;
    init: InitRecipe;
  };
}

export interface EnginePlan {
  readonly request: EngineRequest;
  readonly table: ParameterTable;
  readonly layout: ArenaLayout;
  /** In which the parameters are packed for the kernels. */
  readonly pieces: readonly Piece[];
  readonly lanes: readonly Span[];
  readonly shards: readonly ShardPlan[];
  /** Streams of an evaluation by shard. */
  readonly evaluation: readonly Span[];
  readonly arenaBytes: number;
}

export interface Engine {
  readonly memory: WebAssembly.Memory;
  readonly views: ArenaViews;
  readonly pool: ComputePool;
  readonly coordinator: Coordinator;
}

/**
 * Lays out the arena. Throws InputError where it would be larger than an arena can be or, with the threads, than
 * `freeBytes`, naming the bytes and what lowers them; or where the system refuses even the smallest. Reserves nothing yet.
 */
export function planEngine(request: EngineRequest, freeBytes: number): EnginePlan {
  const { spec, times, workers, training, evaluationStreams } = request;
  const table = new ParameterTable(spec);
  // Kernels size their operands in 32 bits: what is too large by far must not come to them.
  refuseTooLarge((training ? 2 : 1) * table.paddedLength * WORD_BYTES, freeBytes);
  const lanes = training ? cut(training.streams, training.lanes) : [];
  const shards = training ? planShards(lanes, workers) : [];
  const evaluation = cut(evaluationStreams, Math.min(workers, evaluationStreams));
  const kernels = kernelSizing(request.kernels);
  const layout = layoutArena(
    {
      table,
      times,
      evaluation,
      training: training && {
        streams: training.streams,
        lanes,
        shards,
        headTimes: headTimes(spec, training.streams, times),
        moments: momentCount(training.optimizer),
      },
    },
    kernels,
  );
  const arenaBytes = layout.words * WORD_BYTES;
  refuseTooLarge(arenaBytes, freeBytes);
  refuseTooManyThreads(workers, freeBytes - arenaBytes);
  const pieces = parameterPieces(table, layout.packed, kernels);
  return { request, table, layout, pieces, lanes, shards, evaluation, arenaBytes };
}

/**
 * Reserves the arena, and then starts the threads. Throws InputError where the system refuses the first, TrainingError where it refuses
 * the second.
 */
export async function startEngine(plan: EnginePlan, options?: PoolOptions): Promise<Engine> {
  const { request, table, layout, pieces, lanes, shards } = plan;
  const { spec, kernels, workers, times, training } = request;
  const memory = createArena(layout.words);
  const views = viewArena(memory);
  writeLaneRows(plan, views.ints);
  const pool = await ComputePool.start(
    { memory, layout, spec, kernels, training: training && computeTraining(plan) },
    workers,
    options,
  );
  const coordinator = new Coordinator({
    pool,
    table,
    layout,
    views,
    pieces,
    workers,
    streams: lanes.reduce((sum, { count }) => sum + count, 0),
    times,
    shards: shards.length,
  });
  return { memory, views, pool, coordinator };
}

/** The streams of each lane, where the kernels read them. */
function writeLaneRows({ layout, lanes }: Pick<EnginePlan, 'layout' | 'lanes'>, ints: Int32Array) {
  for (const { firstLane, lanes: count, laneRows } of layout.subtrees) {
    for (let i = 0; i < count; i++) ints[laneRows + i] = lanes[firstLane + i].count;
  }
}

/** Kernels on the smallest arena: they know the sizes of their packed operands and scratch. */
function kernelSizing(choice: KernelChoice): Kernels {
  return createKernels(choice, createArena(1));
}

function computeTraining({ request, lanes, shards }: EnginePlan): ComputeTraining {
  const { streams, optimizer, init } = request.training!;
  return {
    streams,
    optimizer,
    init,
    lanes: lanes.map(({ first, count }) => ({ firstStream: first, streams: count })),
    shards: shards.map((shard) => ({
      firstStream: shard.streams.first,
      streams: shard.streams.count,
      firstLane: shard.lanes.first,
      lanes: shard.lanes.count,
    })),
  };
}

function refuseTooLarge(bytes: number, freeBytes: number): void {
  const limit = Math.min(MAX_ARENA_BYTES, freeBytes);
  if (bytes <= limit) return;
  const reason = limit === MAX_ARENA_BYTES ? 'an arena can have' : 'memory is free';
  throw new InputError(
    `Expected the memory plan to fit ${formatBytes(limit)} (as much as ${reason}), got ${formatBytes(bytes)}. ` +
      'Lower --hidden, --layers, --batch, --chunk, --embed or --lanes.',
  );
}

function refuseTooManyThreads(workers: number, freeBytes: number): void {
  const bytes = workers * LEAST_THREAD_BYTES;
  if (bytes <= freeBytes) return;
  throw new InputError(
    `Expected --workers to fit ${formatBytes(freeBytes)} (as much as memory is free beside the arena), ` +
      `got ${workers}, which take ${formatBytes(bytes)} at least. Lower --workers.`,
  );
}
