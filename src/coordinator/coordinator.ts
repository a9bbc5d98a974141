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
import { endOf } from '../pool/staged-work.ts';
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
  /** Wall time of the step, and of each phase, which add up to it. */
  seconds: number;
  phaseSeconds: Readonly<Record<StepPhase, number>>;
  /** What came of the tasks of each phase, in order of shard or range. */
  tasks: TaskResults;
}

export interface CoordinatorParts extends TaskPlan {
  pool: ComputePool;
  layout: ArenaLayout;
  views: ArenaViews;
}

interface UpcomingStep {
  request: StepRequest;
  stages: readonly ComputeTask[][];
  /** When the step before it was over, on the clock of the results. */
  begun: number;
}

export class Coordinator {
  /** Committed steps; generation g lies in the regions g modulo 2. */
  generation = 0;
  readonly #parts: CoordinatorParts;
  readonly #tasks: StepTasks;
  readonly #sums: StepSums;
  /** The step to come, where its tasks have been given out. */
  #upcoming: UpcomingStep | undefined;

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
   * One optimizer step on a loaded chunk. `next`: the request that follows, where it is known and its chunk loaded: threads
   * begin with it as soon as they can; whatever else is asked for takes it back. Throws TrainingError where a worker failed for
   * good or the loss or gradient is not finite, naming the layer; parameters and carries of the generation are then untouched,
   * the packed weights may not be.
   */
  async step(request: StepRequest, next?: StepRequest): Promise<StepOutcome> {
    const { pool, streams, times } = this.#parts;
    if (this.#upcoming && this.#upcoming.request !== request) await this.withdraw();
    const { generation } = this;
    const begun = this.#upcoming?.begun ?? monotonicSeconds();
    const stages = this.#upcoming?.stages ?? this.#tasks.step(generation, request);
    this.#upcoming = undefined;
    const running = pool.runStages(stages, { step: generation + 1 });
    const given = next && this.#giveAhead(next);
    const [compute, reduce, update] = await running;
    const tasks = { compute, reduce, update };

    const joined = monotonicSeconds();
    const summary = this.#sums.summarize(generation, streams * times, request.clipNorm);
    // The threads have seen the same, and updated nothing.
    if (!summary.finite) throw this.#notFinite(summary);
    const { loss, gradNorm, clipScale } = summary;
    const committed = monotonicSeconds();
    this.generation++;
    if (given) this.#upcoming = { request: next, stages: given, begun: endOf(update) };
    const phaseSeconds = phaseSecondsOf(tasks, {
      begun,
      clipSeconds: committed - joined,
      committed,
      overlapped: given !== undefined,
    });
    const seconds = Object.values(phaseSeconds).reduce((sum, each) => sum + each, 0);
    return { loss, gradNorm, clipScale, seconds, phaseSeconds, tasks };
  }

  /** Takes back the step that was given ahead, where there is one. */
  async withdraw(): Promise<void> {
    this.#upcoming = undefined;
    // Its update may have packed weights of a generation that is not committed.
    if (await this.#parts.pool.withdraw()) await this.packWeights();
  }

  /** Draws `length` tokens after the token `first`; the same of every generation, on any number of workers. */
  async sample(first: number, length: number): Promise<number[]> {
    await this.withdraw();
    const task: ComputeTask = { kind: 'sample', first, length, generation: this.generation };
    const [{ ids = [] }] = await this.#parts.pool.run([task], { step: this.generation });
    return ids;
  }

  /** Copies parameters, optimizer state and carries to where the checkpoint writer reads them. */
  async snapshot(): Promise<void> {
    await this.withdraw();
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
    await this.withdraw();
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

  /** The stages of the step after the one under way, where they could be given out. */
  #giveAhead(request: StepRequest): ComputeTask[][] | undefined {
    const stages = this.#tasks.step(this.generation + 1, request);
    return this.#parts.pool.giveAhead(stages, { step: this.generation + 2 }) ? stages : undefined;
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
