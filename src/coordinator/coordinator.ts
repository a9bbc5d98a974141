/**
 * Drives the phases of a step through the pool: who computes what, when. Every task reads what nobody writes in its phase
 * and writes only its own ranges; only the end of `commit` makes a step have happened.
 */
import { NotFiniteError, type TrainingError } from '../errors.ts';
import type { ArenaViews } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { PackJob } from '../model/packing.ts';
import { BLOCK, type ParameterTable } from '../model/parameters.ts';
import { headTimes } from '../model/workspace.ts';
import { clipByNorm } from '../optimizer/clip.ts';
import type { ComputePool, TaskResult } from '../pool/compute-pool.ts';
import type { ComputeResult, ComputeTask } from '../pool/protocol.ts';
import { countPartials } from '../reduce/lane-reduction.ts';
import { cut, cutByCost, type Span } from './plan.ts';
import { FIRST_PHASE, phaseAfter, type StepPhase } from './step-phases.ts';

export interface StepRequest {
  /** Ring slot of the chunk. */
  slot: number;
  /** First chunk of an epoch: states start from zero. */
  fromZero: boolean;
  learningRate: number;
  /** 0: off */
  clipNorm: number;
}

export interface StepOutcome {
  /** Mean loss over the chunk's tokens, nats. */
  loss: number;
  gradNorm: number;
  clipScale: number;
  /** Wall time of each phase. */
  phaseSeconds: Partial<Record<StepPhase, number>>;
  /** What the tasks of each phase took, in order of shard or range. */
  tasks: Partial<Record<StepPhase, readonly TaskTime[]>>;
}

/** How long a task waited for its thread to begin it, and took. */
export type TaskTime = Pick<TaskResult, 'waitSeconds' | 'seconds'>;

export interface CoordinatorParts {
  pool: ComputePool;
  table: ParameterTable;
  layout: ArenaLayout;
  views: ArenaViews;
  /** Work of packing the weights. */
  packJobs: readonly PackJob[];
  workers: number;
  /** N and T; shards in which streams are trained. */
  streams: number;
  times: number;
  shards: number;
}

export class Coordinator {
  /** Committed steps; generation g lies in the regions g modulo 2. */
  generation = 0;
  readonly #parts: CoordinatorParts;
  readonly #ranges: readonly Span[];
  readonly #packSpans: readonly Span[];
  readonly #headTimes: number;

  constructor(parts: CoordinatorParts) {
    const { table, packJobs, workers, streams, times } = parts;
    this.#parts = parts;
    this.#ranges = cut(table.paddedLength / BLOCK, workers).filter(({ count }) => count > 0);
    const costs = packJobs.map(({ k, columns }) => k * columns);
    this.#packSpans = cutByCost(costs, workers).filter(({ count }) => count > 0);
    this.#headTimes = headTimes(table.spec, Math.max(1, streams), times);
  }

  /** Fills the parameters of generation 0. */
  async initialize(): Promise<void> {
    const { table, pool, workers } = this.#parts;
    const costs = table.parameters.map(({ length, shape }) => length * (shape[1] ?? 1));
    const spans = cutByCost(costs, workers).filter(({ count }) => count > 0);
    await pool.run(spans.map((span) => ({ kind: 'initialize', ...span, generation: 0 })));
  }

  /** Packs the weights of the current generation for the kernels. Must precede the first step or evaluation. */
  async packWeights(): Promise<void> {
    await this.#parts.pool.run(this.#packTasks(this.generation), { step: this.generation });
  }

  /**
   * One optimizer step on a loaded chunk. Throws TrainingError where a worker failed for good or the loss or gradient is
   * not finite, naming the layer; parameters and carries of the generation are then untouched, the packed weights are not.
   */
  async step(request: StepRequest): Promise<StepOutcome> {
    const clock = new PhaseClock();
    const { pool, streams, times } = this.#parts;
    const tokens = streams * times;
    const taskTimes: StepOutcome['tasks'] = {};
    let loss = Number.NaN;
    let clipped = { gradNorm: Number.NaN, clipScale: 1 };

    for (let phase: StepPhase | 'committed' = FIRST_PHASE; phase !== 'committed'; ) {
      const tasks = this.#tasksOf(phase, request, clipped.clipScale / tokens);
      const results = await clock.time(phase, async () => {
        if (phase === 'clip') clipped = clipByNorm(this.#partials(), tokens, request.clipNorm);
        return pool.run(tasks, { step: this.generation + 1 });
      });
      if (phase === 'compute') loss = sumInOrder(results) / tokens;
      if (phase === 'clip' && !(Number.isFinite(clipped.gradNorm) && Number.isFinite(loss))) {
        throw this.#notFinite(loss);
      }
      if (tasks.length > 0) taskTimes[phase] = results;
      phase = phaseAfter(phase, tasks.length, results);
    }
    this.generation++;
    return { loss, ...clipped, phaseSeconds: clock.seconds, tasks: taskTimes };
  }

  /** Copies parameters, optimizer state and carries to where the checkpoint writer reads them. */
  async snapshot(): Promise<void> {
    const tasks = this.#ranges.map(
      (range, i): ComputeTask => ({
        kind: 'snapshot',
        ...range,
        carries: i === 0,
        generation: this.generation,
      }),
    );
    await this.#parts.pool.run(tasks, { step: this.generation });
  }

  /**
   * Losses (nats, summed over the chunk's time steps) of each stream of chunk number `chunk` of an evaluation, its streams cut
   * into `spans`.
   */
  async evaluateChunk(
    spans: readonly Span[],
    slot: number,
    chunk: number,
    times: number,
  ): Promise<number[]> {
    const streams = spans.reduce((sum, { count }) => sum + count, 0);
    const tasks = spans.map(
      ({ first, count }, shard): ComputeTask => ({
        kind: 'evaluate',
        shard,
        generation: this.generation,
        slot,
        chunk,
        times,
        headTimes: headTimes(this.#parts.table.spec, streams, this.#parts.times),
        streams,
        firstStream: first,
        rows: count,
      }),
    );
    const results = await this.#parts.pool.run(tasks, { step: this.generation });
    return results.flatMap(({ losses }) => losses ?? []);
  }

  /** The parameters of the current generation, padded, in place. */
  get parameters(): Float32Array {
    const { layout, table, views } = this.#parts;
    const start = layout.parameters[this.generation % 2];
    return views.reals.subarray(start, start + table.paddedLength);
  }

  /** The clip is the coordinator's own work. */
  #tasksOf(phase: StepPhase, request: StepRequest, gradientScale: number): ComputeTask[] {
    if (phase === 'compute') return this.#trainTasks(request);
    if (phase === 'reduce') return this.#reduceTasks();
    if (phase === 'update') return this.#updateTasks(request, gradientScale);
    return phase === 'commit' ? this.#packTasks(this.generation + 1) : [];
  }

  #trainTasks({ slot, fromZero }: StepRequest): ComputeTask[] {
    return Array.from({ length: this.#parts.shards }, (_, shard) => ({
      kind: 'train',
      shard,
      generation: this.generation,
      slot,
      times: this.#parts.times,
      headTimes: this.#headTimes,
      fromZero,
    }));
  }

  /** A part uses the workspace of one shard; where there are more workers than shards, fewer parts. */
  #reduceTasks(): ComputeTask[] {
    const { shards } = this.#parts;
    return Array.from({ length: shards }, (_, shard) => ({
      kind: 'reduce',
      shard,
      parts: shards,
      generation: this.generation,
    }));
  }

  #updateTasks({ learningRate }: StepRequest, gradientScale: number): ComputeTask[] {
    const factors = { gradientScale, learningRate, updates: this.generation + 1 };
    const { generation } = this;
    return this.#ranges.map((range) => ({ kind: 'update', ...range, generation, factors }));
  }

  #packTasks(generation: number): ComputeTask[] {
    return this.#packSpans.map((span, i) => ({
      kind: 'pack',
      ...span,
      biases: i === 0,
      generation,
    }));
  }

  #partials(): Float64Array {
    const { layout, table, views } = this.#parts;
    const start = layout.partials / 2;
    return views.doubles.subarray(start, start + countPartials(table));
  }

  #notFinite(loss: number): TrainingError {
    const step = this.generation;
    const { table, views, layout } = this.#parts;
    const gradient = views.reals.subarray(layout.gradient, layout.gradient + table.paddedLength);
    const bad = gradient.findIndex((value) => !Number.isFinite(value));
    const where = bad < 0 ? 'its norm overflows' : this.#describeElement(bad, gradient[bad]);
    return new NotFiniteError(
      `The gradient of step ${step + 1} is not finite (loss ${loss}): ${where}. The parameters of step ${step} are kept. ` +
        'Use a smaller --lr, a --warmup, or a smaller --clip-norm.',
      { step: step + 1, phase: 'clip' },
    );
  }

  #describeElement(element: number, value: number): string {
    const { name, layer } = this.#parts.table.at(element);
    return `${value} first in ${layer}, ${name}`;
  }
}

class PhaseClock {
  readonly seconds: Partial<Record<StepPhase, number>> = {};

  async time<Result>(phase: StepPhase, work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    const result = await work();
    this.seconds[phase] = (performance.now() - started) / 1000;
    return result;
  }
}

/** Losses of all lanes, in order of lane. */
function sumInOrder(results: readonly ComputeResult[]): number {
  let sum = 0;
  for (const { losses } of results) for (const loss of losses ?? []) sum += loss;
  return sum;
}
