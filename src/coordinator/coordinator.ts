/**
 * Drives the phases of a step through the pool: who computes what, when. Every task reads what nobody writes in its phase
 * and writes only its own ranges; only the end of `commit` makes a step have happened.
 */
import { NotFiniteError, type TrainingError } from '../errors.ts';
import type { ArenaViews } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import { headTimes } from '../model/workspace.ts';
import { clipByNorm } from '../optimizer/clip.ts';
import type { ComputePool, TaskResult } from '../pool/compute-pool.ts';
import type { ComputeResult, ComputeTask } from '../pool/compute-protocol.ts';
import { countPartials } from '../reduce/lane-reduction.ts';
import type { Span } from './plan.ts';
import { FIRST_PHASE, phaseAfter, type StepPhase } from './step-phases.ts';
import { StepTasks, type TaskPlan } from './step-tasks.ts';

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

export interface CoordinatorParts extends TaskPlan {
  pool: ComputePool;
  layout: ArenaLayout;
  views: ArenaViews;
}

export class Coordinator {
  /** Committed steps; generation g lies in the regions g modulo 2. */
  generation = 0;
  readonly #parts: CoordinatorParts;
  readonly #tasks: StepTasks;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    this.#tasks = new StepTasks(parts);
  }

  /** Fills the parameters of generation 0. */
  async initialize(): Promise<void> {
    await this.#parts.pool.run(this.#tasks.initialize());
  }

  /** Packs the weights of the current generation for the kernels. Must precede the first step or evaluation. */
  async packWeights(): Promise<void> {
    await this.#parts.pool.run(this.#tasks.pack(this.generation), { step: this.generation });
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
      const tasks = this.#tasks.of(phase, this.generation, {
        gradientScale: clipped.clipScale / tokens,
        ...request,
      });
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

  /** Draws `length` tokens after the token `first`; the same of every generation, on any number of workers. */
  async sample(first: number, length: number): Promise<number[]> {
    const task: ComputeTask = { kind: 'sample', first, length, generation: this.generation };
    const [{ ids = [] }] = await this.#parts.pool.run([task], { step: this.generation });
    return ids;
  }

  /** Copies parameters, optimizer state and carries to where the checkpoint writer reads them. */
  async snapshot(): Promise<void> {
    await this.#parts.pool.run(this.#tasks.snapshot(this.generation), { step: this.generation });
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
