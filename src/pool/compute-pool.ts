/**
 * The compute pool: fans tasks out over threads and joins them. What becomes of the threads goes to the machine in fan-out.ts,
 * which says what to do; a task whose thread dies is repeated once that thread has ended and so can write no more.
 */
import { type FailurePlace, fromErrorRecord, messageOf } from '../errors.ts';
import type {
  ComputeReply,
  ComputeResult,
  ComputeTask,
  ComputeThreadData,
} from './compute-protocol.ts';
import { ComputeThread } from './compute-thread.ts';
import {
  afterEvent,
  type Command,
  type FanOut,
  type FanOutEvent,
  newFanOut,
  outcomeOf,
} from './fan-out.ts';
import { Phase, threadFailure } from './phase.ts';
import { StageGate } from './stage-gate.ts';
import { StagedWork, type TaskResult } from './staged-work.ts';

export interface PoolOptions {
  /** A task, or the loading of a thread, that takes longer is given up and its thread ended; 0: never. */
  limitSeconds?: number;
  /** One sentence for each thread that died. */
  onWarning?(message: string): void;
}

export interface PoolCounters {
  /** Threads that died. */
  restarts: number;
  /** Tasks that were run again because of it. */
  repeatedTasks: number;
}

export class ComputePool {
  readonly #data: ComputeThreadData;
  readonly #options: PoolOptions;
  readonly #threads: ComputeThread[] = [];
  readonly #counters: PoolCounters = { restarts: 0, repeatedTasks: 0 };
  readonly #busySeconds: number[];
  #state: FanOut;
  readonly #gate = new StageGate();
  #working = false;
  #phase: Phase | undefined;
  /** Of the phase. Settled by the last reply or death; each task has its thread's limit. */
  #settlePhase: { resolve(): void; reject(error: Error): void } | undefined;
  /** Called once no thread is loading, or one that loads is stuck. */
  #whenLoaded: (() => void) | undefined;
  /** What the last thread died of. */
  #lastCause: unknown;
  #closed = false;

  private constructor(data: ComputeThreadData, workers: number, options: PoolOptions) {
    this.#data = data;
    this.#options = options;
    this.#state = newFanOut(workers);
    this.#busySeconds = new Array<number>(workers).fill(0);
    for (let slot = 0; slot < workers; slot++) this.#start(slot);
  }

  /** Starts `workers` threads and waits until each has loaded. Throws TrainingError where one cannot. */
  static async start(
    data: ComputeThreadData,
    workers: number,
    options: PoolOptions = {},
  ): Promise<ComputePool> {
    const pool = new ComputePool(data, workers, options);
    // Each thread has its limit for loading, and MAX_DEATHS tries.
    await new Promise<void>((resolve) => {
      pool.#whenLoaded = resolve;
    });
    if (pool.#state.slots.every(({ thread }) => thread === 'idle')) return pool;
    await pool.close();
    const { kind } = pool.#state.failure ?? {};
    throw threadFailure(kind === 'stuck' ? kind : 'lost', pool.#lastCause);
  }

  /** Of the threads alive. */
  get threadIds(): number[] {
    const { slots } = this.#state;
    return this.#threads.filter((_, i) => slots[i].thread !== 'lost').map(({ id }) => id);
  }

  get counters(): Readonly<PoolCounters> {
    return this.#counters;
  }

  /** Spent in tasks by each worker, 0 to W−1; a new thread takes the place of the one that died. */
  get busySeconds(): readonly number[] {
    return this.#busySeconds;
  }

  /**
   * Runs all tasks and returns their results in order, once every one has settled. Throws TrainingError with the place of
   * the first task that failed by itself or took down MAX_DEATHS threads, or where a thread is stuck. One call at a time.
   */
  async run(tasks: readonly ComputeTask[], place: FailurePlace = {}): Promise<TaskResult[]> {
    const [results] = await this.runStages([tasks], place);
    return results;
  }

  /**
   * The same of one stage after another: no task begins before all of the stage before it are done. Where no stage has more tasks
   * than there are threads, these are given all at once, and pass from stage to stage by themselves; whatever becomes of one
   * of them, the others stop at the next stage, and what is missing is given out stage by stage.
   */
  async runStages(
    stages: readonly (readonly ComputeTask[])[],
    place: FailurePlace = {},
  ): Promise<TaskResult[][]> {
    if (this.#working || this.#closed) throw new Error('The compute pool is busy or closed');
    this.#working = true;
    try {
      const work = new StagedWork(stages);
      if (stages.length > 1 && this.#canShare(work)) await this.#workTogether(work, place);
      for (const stage of stages.keys()) {
        const missing = work.missing(stage).map((task) => [task]);
        if (missing.length > 0) await this.#fanOut(new Phase(work, missing, false, place));
      }
      return work.results;
    } finally {
      this.#working = false;
    }
  }

  /** Ends all threads, and what is under way. Waits no longer than for a thread that is stuck. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#settlePhase?.reject(closedError());
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #canShare({ sizes }: StagedWork): boolean {
    const { slots } = this.#state;
    return Math.max(...sizes) <= slots.length && slots.every(({ thread }) => thread === 'idle');
  }

  #workTogether(work: StagedWork, place: FailurePlace): Promise<void> {
    this.#gate.reset();
    return this.#fanOut(new Phase(work, work.columns, true, place));
  }

  /** Hands out the shares, and waits until they are done or, where threads work together, dropped. */
  #fanOut(phase: Phase): Promise<void> {
    // Each task has the limit of its thread (compute-thread.ts), and MAX_DEATHS tries; `close` rejects what is left.
    return new Promise((resolve, reject) => {
      if (this.#closed) throw closedError();
      this.#phase = phase;
      this.#settlePhase = { resolve, reject };
      const { deaths, together } = phase;
      this.#happen({ kind: 'begin', deaths, together });
    });
  }

  #happen(event: FanOutEvent): void {
    if (this.#closed) return;
    const { state, commands } = afterEvent(this.#state, event);
    this.#state = state;
    for (const command of commands) this.#obey(command);
    const starting = state.slots.some(({ thread }) => thread === 'loading' || thread === 'ending');
    if (state.failure || !starting) this.#whenLoaded?.();
    this.#settle();
  }

  #obey(command: Command): void {
    if (command.kind === 'recall') this.#gate.recall();
    else if (command.kind === 'start') this.#start(command.slot);
    else if (command.kind === 'end') this.#threads[command.slot].end();
    else this.#handOut(command.slot, command.task);
  }

  #handOut(slot: number, share: number): void {
    const { work, shares, together } = this.#phase!;
    if (this.#state.tasks[share].deaths > 0) this.#counters.repeatedTasks++;
    this.#phase!.noteHandOut(share);
    if (together) this.#threads[slot].runStages(shares[share], work.sizes);
    else this.#threads[slot].run(shares[share][0].task);
  }

  #start(slot: number): void {
    const { limitSeconds = 0 } = this.#options;
    const tell = (kind: 'ready' | 'broken') => () => this.#happen({ kind, slot });
    this.#threads[slot] = new ComputeThread(this.#data, this.#gate, limitSeconds, {
      ready: tell('ready'),
      broken: tell('broken'),
      replied: (reply) => this.#take(slot, reply),
      ended: (cause) => this.#lose(slot, cause),
      stuck: (cause) => {
        this.#lastCause = cause;
        this.#happen({ kind: 'stuck', slot });
      },
    });
  }

  #take(slot: number, reply: ComputeReply): void {
    const { task: share } = this.#state.slots[slot];
    if (share === null || !this.#phase) return;
    const refused = 'error' in reply;
    if (this.#phase.together) this.#complete(slot, share, this.#threads[slot].done);
    else if (!refused) this.#complete(slot, share, [reply]);
    if (refused) this.#phase.noteCause(share, fromErrorRecord(reply.error));
    this.#happen({ kind: refused ? 'refused' : 'done', slot });
  }

  #complete(slot: number, share: number, results: readonly ComputeResult[]): void {
    for (const { seconds } of results) this.#busySeconds[slot] += seconds;
    this.#phase!.complete(share, results);
  }

  #lose(slot: number, cause: Error): void {
    if (this.#closed) return;
    this.#counters.restarts++;
    this.#lastCause = cause;
    const { task: share, loaded } = this.#state.slots[slot];
    const lost = share === null ? undefined : this.#loseShare(slot, share, cause);
    const when = lost ? `at ${lost}` : loaded ? 'between two tasks' : 'while it loaded';
    const next = lost ? 'Its task is done again' : 'Another takes its place';
    this.#options.onWarning?.(`A worker thread died ${when}: ${messageOf(cause)}. ${next}.`);
    this.#happen({ kind: 'ended', slot });
  }

  /** Names the task that is lost with the thread; what it had done in the stages before is not. */
  #loseShare(slot: number, share: number, cause: Error): string | undefined {
    const phase = this.#phase;
    if (phase?.together) this.#complete(slot, share, this.#threads[slot].done);
    const task = phase?.taskAt(share);
    if (!phase || !task) return undefined;
    phase.noteCause(share, cause);
    if (phase.together) phase.work.countDeath(task);
    return phase.describe(task).words;
  }

  #settle(): void {
    const outcome = outcomeOf(this.#state);
    const phase = this.#phase;
    if (!phase || outcome === 'running') return;
    this.#phase = undefined;
    if (outcome === 'done') this.#settlePhase!.resolve();
    else this.#settlePhase!.reject(phase.failure(this.#state.failure!, this.#lastCause));
  }
}

function closedError(): Error {
  return new Error('The compute pool was closed');
}
