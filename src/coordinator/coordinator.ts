/**
 * Drives steps through the pool: who computes what, when. Every task reads what nobody writes in its phase and writes only its own
 * ranges; only the end of `commit` makes a step have happened.
 */
import { NotFiniteError, type TrainingError } from '../errors.ts';
import type { ArenaViews } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import { headTimes } from '../model/workspace.ts';
import { monotonicSeconds } from '../pool/clock.ts';
import type { ComputePool } from '../pool/compute-pool.ts';
import type { ComputeTask } from '../pool/compute-protocol.ts';
import { StepSums } from '../reduce/step-sums.ts';
import type { Span } from './plan.ts';
import { phaseSecondsOf, type StepPhase, type TaskResults } from './step-phases.ts';
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
  phaseSeconds: Readonly<Record<StepPhase, number>>;
  /** What came of the tasks of each phase, in order of shard or range. */
  tasks: TaskResults;
}

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
  readonly #sums: StepSums;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    this.#tasks = new StepTasks(parts);
    this.#sums = new StepSums(parts.table, parts.layout, parts.views.doubles);
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
   * not finite, naming the layer; parameters and carries of the generation are then untouched, the packed weights may not be.
   */
  async step(request: StepRequest): Promise<StepOutcome> {
    const begun = monotonicSeconds();
    const { pool, streams, times } = this.#parts;
    const { compute, reduce, update } = this.#tasks.step(this.generation, request);
    const place = { step: this.generation + 1 };
    const [computed, reduced, updated] = await pool.runStages([compute, reduce, update], place);
    const tasks = { compute: computed, reduce: reduced, update: updated };

    const joined = monotonicSeconds();
    const { finite, ...summary } = this.#sums.summarize(streams * times, request.clipNorm);
    // The threads have seen the same, and updated nothing.
    if (!finite) throw this.#notFinite(summary);
    const committed = monotonicSeconds();
    this.generation++;
    const phaseSeconds = phaseSecondsOf(tasks, begun, committed - joined, committed);
    return { tasks, phaseSeconds, ...summary };
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

  #notFinite({ loss, gradNorm }: Pick<StepOutcome, 'loss' | 'gradNorm'>): TrainingError {
    const step = this.generation;
    const { table, views, layout } = this.#parts;
    const gradient = views.reals.subarray(layout.gradient, layout.gradient + table.paddedLength);
    const bad = gradient.findIndex((value) => !Number.isFinite(value));
    const where = bad < 0 ? 'its norm overflows' : this.#describeElement(bad, gradient[bad]);
    const what = Number.isFinite(gradNorm)
      ? `The loss of step ${step + 1} is not finite: ${loss}`
      : `The gradient of step ${step + 1} is not finite (loss ${loss}): ${where}`;
    return new NotFiniteError(
      `${what}. The parameters of step ${step} are kept. ` +
        'Use a smaller --lr, a --warmup, or a smaller --clip-norm.',
      { step: step + 1, phase: 'clip' },
    );
  }

  #describeElement(element: number, value: number): string {
    const { name, layer } = this.#parts.table.at(element);
    return `${value} first in ${layer}, ${name}`;
  }
}
