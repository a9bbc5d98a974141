/**
 * Drives steps through the pool: who computes what, when. Every task reads what nobody writes in its phase and writes only its own
 * ranges; only the end of `commit` makes a step have happened, though steps that were given out with it may build on it before.
 */
import { NotFiniteError } from '../errors.ts';
import type { ArenaViews } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import { headTimes } from '../model/workspace.ts';
import { monotonicSeconds } from '../pool/clock.ts';
import type { ComputePool } from '../pool/compute-pool.ts';
import type { ComputeTask } from '../pool/compute-protocol.ts';
import { endOf, type Stage, type TaskResult } from '../pool/staged-work.ts';
import { StepSums } from '../reduce/step-sums.ts';
import { notFinite } from './not-finite.ts';
import type { Span } from './plan.ts';
import { phaseSecondsOf, type StepPhase, type TaskResults } from './step-phases.ts';
import {
  MAX_STEPS_AT_ONCE,
  STEP_STAGES,
  type StepRequest,
  StepTasks,
  type TaskPlan,
} from './step-tasks.ts';

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

/** What came of steps that were given out at once: of those that have happened, and what the next one failed with. */
export interface StepsOutcome {
  steps: StepOutcome[];
  failure?: unknown;
}

export interface CoordinatorParts extends TaskPlan {
  pool: ComputePool;
  layout: ArenaLayout;
  views: ArenaViews;
}

interface UpcomingSteps {
  requests: readonly StepRequest[];
  stages: readonly Stage[];
}

export class Coordinator {
  /** Committed steps; generation g lies in the regions g modulo 2. */
  generation = 0;
  readonly #parts: CoordinatorParts;
  readonly #tasks: StepTasks;
  readonly #sums: StepSums;
  /** The steps to come, where their tasks have been given out. */
  #upcoming: UpcomingSteps | undefined;
  /** When the last step was over of which the next one was given out before, on the clock of the results. */
  #followedAt: number | undefined;

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

  /** One step; see `steps`. Throws what that fails with. */
  async step(request: StepRequest, next?: StepRequest): Promise<StepOutcome> {
    const { steps, failure } = await this.steps([request], next && [next]);
    if (failure) throw failure;
    return steps[0];
  }

  /**
   * Optimizer steps, at most MAX_STEPS_AT_ONCE, one after another on loaded chunks, for which the coordinator is woken once. `next`:
   * the requests that follow, where they are known and their chunks loaded: threads begin with the first of them as soon as they
   * can; whatever else is asked for takes them back, also requests that are not these very objects. The failure is a TrainingError
   * where a worker failed for good or the loss or gradient is not finite, naming the layer; parameters and carries of the
   * generation, which counts the steps that happened, are then untouched, the packed weights may not be. Throws Error on more steps.
   */
  async steps(
    requests: readonly StepRequest[],
    next: readonly StepRequest[] = [],
  ): Promise<StepsOutcome> {
    if (Math.max(requests.length, next.length) > MAX_STEPS_AT_ONCE) {
      throw new Error(`Expected at most ${MAX_STEPS_AT_ONCE} steps at once`);
    }
    if (this.#upcoming && !isSame(this.#upcoming.requests, requests)) await this.withdraw();
    const stages = this.#upcoming?.stages ?? this.#tasks.steps(this.generation, requests);
    this.#upcoming = undefined;
    this.#followedAt ??= monotonicSeconds();
    const running = this.#parts.pool.runStages(stages);
    const given = this.#giveAhead(this.generation + requests.length, next);
    const { results, failure } = await running;
    const outcome = this.#commitAll(requests, results, given !== undefined);
    outcome.failure ??= failure;
    if (outcome.failure) this.#followedAt = undefined;
    else if (given) this.#upcoming = { requests: next, stages: given };
    return outcome;
  }

  /** Takes back the steps that were given ahead, where there are any. */
  async withdraw(): Promise<void> {
    this.#upcoming = undefined;
    this.#followedAt = undefined;
    // Their updates may have packed weights of a generation that is not committed.
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

  /**
   * The stages of steps to come, where they could be given out. Only the first of them may begin before the others are asked for: the
   * second one writes where the generation is that all are taken back to.
   */
  #giveAhead(generation: number, requests: readonly StepRequest[]): Stage[] | undefined {
    if (requests.length === 0) return undefined;
    const stages = this.#tasks.steps(generation, requests);
    return this.#parts.pool.giveAhead(stages, STEP_STAGES) ? stages : undefined;
  }

  /** Of these steps those that are computed; `isFollowed`: the last one by the next that were given out. */
  #commitAll(
    requests: readonly StepRequest[],
    results: readonly TaskResult[][],
    isFollowed: boolean,
  ): StepsOutcome {
    const steps: StepOutcome[] = [];
    for (const [i, request] of requests.entries()) {
      const [compute, reduce, update] = results.slice(STEP_STAGES * i);
      if (!update) break;
      const isLast = i + 1 === requests.length;
      const outcome = this.#commit(request, { compute, reduce, update }, isFollowed || !isLast);
      if (outcome instanceof NotFiniteError) return { steps, failure: outcome };
      steps.push(outcome);
    }
    return { steps };
  }

  /** The step that is computed has happened, unless it is not finite: the threads have seen the same, and updated nothing. */
  #commit(
    { clipNorm }: StepRequest,
    tasks: TaskResults,
    isFollowed: boolean,
  ): StepOutcome | NotFiniteError {
    const { streams, times } = this.#parts;
    const joined = monotonicSeconds();
    const summary = this.#sums.summarize(this.generation, streams * times, clipNorm);
    if (!summary.finite) return notFinite(this.#parts, this.generation, summary);
    const { loss, gradNorm, clipScale } = summary;
    const committed = monotonicSeconds();
    this.generation++;
    const phaseSeconds = phaseSecondsOf(tasks, {
      begun: this.#followedAt!,
      clipSeconds: committed - joined,
      committed,
      overlapped: isFollowed,
    });
    this.#followedAt = isFollowed ? endOf(tasks.update) : undefined;
    const seconds = Object.values(phaseSeconds).reduce((sum, each) => sum + each, 0);
    return { loss, gradNorm, clipScale, seconds, phaseSeconds, tasks };
  }
}

function isSame(these: readonly StepRequest[], those: readonly StepRequest[]): boolean {
  return these.length === those.length && these.every((request, i) => request === those[i]);
}
