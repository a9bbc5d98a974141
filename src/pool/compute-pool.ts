/** The compute pool: runs tasks, and stages of tasks, on its crew of threads. */
import type { FailurePlace } from '../errors.ts';
import type { ComputeTask, ComputeThreadData } from './compute-protocol.ts';
import { Crew, type PoolCounters, type PoolOptions } from './crew.ts';
import { Round } from './round.ts';
import { endOf, type Stage, StagedWork, type TaskResult } from './staged-work.ts';

/** What came of stages: results of those that are done, in order, and what kept the next one from it. */
export interface StagesOutcome {
  results: TaskResult[][];
  failure?: unknown;
}

export class ComputePool {
  readonly #crew: Crew;
  #working = false;
  /** Rounds in which threads pass from stage to stage by themselves. */
  #tickets = 0;
  /** The last such round. */
  #round: Round | undefined;
  /** What was given out ahead, of these stages. */
  #ahead: { stages: readonly Stage[]; round: Round } | undefined;
  /** When the last work was over. */
  #lastEnd = 0;

  private constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** Starts `workers` threads and waits until each has loaded. Throws TrainingError where one cannot. */
  static async start(
    data: ComputeThreadData,
    workers: number,
    options: PoolOptions = {},
  ): Promise<ComputePool> {
    const crew = new Crew(data, workers, options);
    await crew.load();
    return new ComputePool(crew);
  }

  /** Of the threads alive. */
  get threadIds(): number[] {
    return this.#crew.threadIds;
  }

  get counters(): Readonly<PoolCounters> {
    return this.#crew.counters;
  }

  /** Spent in tasks by each worker, 0 to W−1; a new thread takes the place of the one that died. */
  get busySeconds(): readonly number[] {
    return this.#crew.busySeconds;
  }

  /**
   * Runs all tasks and returns their results in order, once every one has settled. Throws TrainingError with the place of
   * the first task that failed by itself or took down MAX_DEATHS threads, or where a thread is stuck. One call at a time.
   */
  async run(tasks: readonly ComputeTask[], place: FailurePlace = {}): Promise<TaskResult[]> {
    const { results, failure } = await this.runStages([{ tasks, place }]);
    if (failure) throw failure;
    return results[0];
  }

  /**
   * The same of one stage after another: no task begins before all of the stage before it are done, and none after a stage of which a
   * task `halts`. Where no stage has more tasks than there are threads, these are given all at once, and pass from stage to stage by
   * themselves; whatever becomes of one of them, the others stop at the next stage, and what is missing is given out stage by
   * stage. Rejects only where the pool is busy or closed, or where these are no stages that `StagedWork` takes: what is done counts,
   * also where the rest fails.
   */
  async runStages(stages: readonly Stage[]): Promise<StagesOutcome> {
    if (this.#working || this.#crew.closed) throw new Error('The compute pool is busy or closed');
    const work = this.#ahead?.stages === stages ? this.#ahead.round.work : new StagedWork(stages);
    this.#working = true;
    const failure = await this.#workOff(work).then(
      () => undefined,
      (error: unknown) => error,
    );
    this.#working = false;
    const results = work.results(this.#lastEnd);
    this.#lastEnd = endOf(results.flat(), this.#lastEnd);
    return { results, failure };
  }

  /**
   * To be called while `runStages` is under way: gives out the stages that it will be called with next, if each thread is well. They
   * begin when those under way are done, unless a task of these `halts`; but only the first `revocable` of them before it is
   * called. Whether they were given out.
   */
  giveAhead(stages: readonly Stage[], revocable = stages.length): boolean {
    const work = new StagedWork(stages);
    if (!this.#crew.canGiveAhead || !this.#fits(work)) return false;
    const round = Round.ahead(work, this.#tickets++, this.#round!, revocable);
    this.#ahead = { stages, round };
    this.#crew.giveAhead(round);
    return true;
  }

  /** Takes back what was given ahead: what of it has begun is finished, and forgotten. Whether there was anything. */
  async withdraw(): Promise<boolean> {
    if (!this.#ahead) return false;
    this.#ahead = undefined;
    await this.#crew.withdraw();
    return true;
  }

  /** Ends all threads, and what is under way. Waits no longer than for a thread that is stuck. */
  close(): Promise<void> {
    return this.#crew.close();
  }

  async #workOff(work: StagedWork): Promise<void> {
    await this.#workTogether(work);
    for (let { missing } = work; missing.length > 0; { missing } = work) {
      await this.#crew.fanOut(Round.of(work, missing));
    }
  }

  /** All stages at once, where that can be; some of it may then be missing. */
  async #workTogether(work: StagedWork): Promise<void> {
    if (this.#ahead?.round.work === work) {
      this.#round = this.#ahead.round;
      this.#ahead = undefined;
      await this.#crew.advance();
      return;
    }
    if (this.#ahead) await this.withdraw();
    if (work.sizes.length > 1 && this.#crew.allIdle && this.#fits(work)) {
      this.#round = Round.together(work, this.#tickets++);
      await this.#crew.fanOut(this.#round);
    }
  }

  #fits({ sizes }: StagedWork): boolean {
    return Math.max(...sizes) <= this.#crew.size;
  }
}
