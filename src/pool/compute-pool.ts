/**
 * The compute pool: fans tasks out over threads and joins them. What becomes of the threads goes to the machine in fan-out.ts,
 * which says what to do; a task whose thread dies is repeated once that thread has ended and so can write no more.
 */
import { type FailurePlace, fromErrorRecord, messageOf, TrainingError } from '../errors.ts';
import { monotonicSeconds } from './clock.ts';
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
  type Failure,
  type FanOut,
  type FanOutEvent,
  MAX_DEATHS,
  newFanOut,
  outcomeOf,
} from './fan-out.ts';

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

/** What came of a task, and how long it waited from being handed out until its thread began it. */
export interface TaskResult extends ComputeResult {
  waitSeconds: number;
}

/** The tasks under way. Settled by the last reply or death; each task has its thread's limit. */
interface Phase {
  readonly tasks: readonly ComputeTask[];
  readonly place: FailurePlace;
  readonly results: TaskResult[];
  /** By task: when it was handed out last. */
  readonly handedOut: number[];
  /** By task: what it failed with last. */
  readonly causes: unknown[];
  resolve(results: TaskResult[]): void;
  reject(error: Error): void;
}

export class ComputePool {
  readonly #data: ComputeThreadData;
  readonly #options: PoolOptions;
  readonly #threads: ComputeThread[] = [];
  readonly #counters: PoolCounters = { restarts: 0, repeatedTasks: 0 };
  readonly #busySeconds: number[];
  #state: FanOut;
  #phase: Phase | undefined;
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
    throw pool.#failure(pool.#state.failure ?? { kind: 'lost' });
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
  run(tasks: readonly ComputeTask[], place: FailurePlace = {}): Promise<TaskResult[]> {
    // Each task has the limit of its thread (compute-thread.ts), and MAX_DEATHS tries; `close` rejects what is left.
    return new Promise((resolve, reject) => {
      if (this.#phase || this.#closed) throw new Error('The compute pool is busy or closed');
      this.#phase = { tasks, place, results: [], handedOut: [], causes: [], resolve, reject };
      this.#happen({ kind: 'begin', tasks: tasks.length });
    });
  }

  /** Ends all threads, and what is under way. Waits no longer than for a thread that is stuck. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#phase?.reject(new Error('The compute pool was closed'));
    await Promise.all(this.#threads.map((thread) => thread.close()));
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

  #obey({ kind, slot, ...rest }: Command): void {
    if (kind === 'start') this.#start(slot);
    if (kind === 'end') this.#threads[slot].end();
    if (!('task' in rest)) return;
    if (this.#state.tasks[rest.task].deaths > 0) this.#counters.repeatedTasks++;
    this.#phase!.handedOut[rest.task] = monotonicSeconds();
    this.#threads[slot].run(this.#phase!.tasks[rest.task]);
  }

  #start(slot: number): void {
    const tell = (kind: 'ready' | 'broken') => () => this.#happen({ kind, slot });
    this.#threads[slot] = new ComputeThread(this.#data, this.#options.limitSeconds ?? 0, {
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
    const { task } = this.#state.slots[slot];
    if (task === null || !this.#phase) return;
    const refused = 'error' in reply;
    if (refused) this.#phase.causes[task] = fromErrorRecord(reply.error);
    else this.#phase.results[task] = this.#account(slot, reply, this.#phase.handedOut[task]);
    this.#happen({ kind: refused ? 'refused' : 'done', slot });
  }

  #account(slot: number, result: ComputeResult, handedOut: number): TaskResult {
    this.#busySeconds[slot] += result.seconds;
    return { waitSeconds: result.startedSeconds - handedOut, ...result };
  }

  #lose(slot: number, cause: Error): void {
    if (this.#closed) return;
    this.#counters.restarts++;
    this.#lastCause = cause;
    const { task, loaded } = this.#state.slots[slot];
    if (task !== null && this.#phase) this.#phase.causes[task] = cause;
    const when =
      task !== null && this.#phase
        ? `at ${placeOf(this.#phase, task).words}`
        : loaded
          ? 'between two tasks'
          : 'while it loaded';
    const next = task !== null ? 'Its task is done again' : 'Another takes its place';
    this.#options.onWarning?.(`A worker thread died ${when}: ${messageOf(cause)}. ${next}.`);
    this.#happen({ kind: 'ended', slot });
  }

  #settle(): void {
    const outcome = outcomeOf(this.#state);
    const phase = this.#phase;
    if (!phase || outcome === 'running') return;
    this.#phase = undefined;
    if (outcome === 'done') phase.resolve(phase.results);
    else phase.reject(this.#failure(this.#state.failure!, phase));
  }

  #failure(failure: Failure, phase?: Phase): TrainingError {
    const options = { cause: this.#lastCause };
    const why = messageOf(this.#lastCause);
    if (failure.kind === 'lost') {
      const message = `No worker thread could be started in ${MAX_DEATHS} tries: ${why}`;
      return new TrainingError(message, phase?.place, options);
    }
    if (failure.kind === 'stuck') {
      const message = `A worker thread failed and does not end: ${why}`;
      return new TrainingError(message, phase?.place, options);
    }
    const { place, words } = placeOf(phase!, failure.task);
    const cause = phase!.causes[failure.task];
    const times = failure.kind === 'deadly' ? ` ${MAX_DEATHS} times` : '';
    return new TrainingError(`A worker failed${times} at ${words}: ${messageOf(cause)}`, place, {
      cause,
    });
  }
}

/** Where a task stands, as data and in words: `step 7, reduce of shard 2`. */
function placeOf({ tasks, place }: Phase, index: number): { place: FailurePlace; words: string } {
  const task = tasks[index];
  const shard = 'shard' in task ? task.shard : index;
  const step = place.step === undefined ? '' : `step ${place.step}, `;
  return {
    place: { ...place, phase: task.kind, shard },
    words: `${step}${task.kind} of shard ${shard}`,
  };
}
