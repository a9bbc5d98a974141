/**
 * The compute pool: fans tasks out over worker threads and joins them. A task whose thread dies is repeated elsewhere,
 * once the dead thread has ended and so can write no more.
 */
import type { Worker } from 'node:worker_threads';
import { FixedQueue, Piscina } from 'piscina';
import { type FailurePlace, fromErrorRecord, messageOf, TrainingError } from '../errors.ts';
import type { ComputeReply, ComputeResult, ComputeTask, ComputeThreadData } from './protocol.ts';

/** A task that took this many threads down would take more. */
const MAX_ATTEMPTS = 3;
/** A thread that has failed ends within this time, or the run stops. */
const EXIT_LIMIT_SECONDS = 10;

const ENTRY = new URL('../../workers/compute-worker.js', import.meta.url);

export interface PoolCounters {
  /** Threads that died. */
  restarts: number;
  /** Tasks that were run again because of it. */
  repeatedTasks: number;
}

export class ComputePool {
  readonly #piscina: Piscina;
  readonly #exits = new Map<Worker, Promise<void>>();
  readonly #counters: PoolCounters = { restarts: 0, repeatedTasks: 0 };

  private constructor(data: ComputeThreadData, workers: number) {
    this.#piscina = new Piscina({
      filename: ENTRY.href,
      workerData: data,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      // An idle worker sleeps in Atomics.wait: the fastest hand-over of a task.
      atomics: 'sync',
      taskQueue: new FixedQueue(),
      // Flags such as --input-type, meant for the main script, would break the entry.
      execArgv: [],
    });
    // A thread that fails between two tasks is replaced by piscina; without a listener it would end the process.
    this.#piscina.on('error', () => {
      this.#counters.restarts++;
    });
  }

  /** Starts `workers` threads and waits until each has loaded. Throws TrainingError where one cannot. */
  static async start(data: ComputeThreadData, workers: number): Promise<ComputePool> {
    const pool = new ComputePool(data, workers);
    try {
      await pool.run(Array.from({ length: workers }, () => ({ kind: 'ping' })));
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** Of the threads alive. */
  get threadIds(): number[] {
    return this.#piscina.threads.map(({ threadId }) => threadId);
  }

  get counters(): Readonly<PoolCounters> {
    return this.#counters;
  }

  /**
   * Runs all tasks and returns their results in order, once every one has settled. Throws TrainingError with the place of
   * the first task that failed by itself, or took down its thread several times.
   */
  async run(tasks: readonly ComputeTask[], place: FailurePlace = {}): Promise<ComputeResult[]> {
    this.#trackExits();
    const settled = await Promise.allSettled(tasks.map((task) => this.#runOne(task, place)));
    const failed = settled.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return settled.map((outcome) => (outcome as PromiseFulfilledResult<ComputeResult>).value);
  }

  /** Ends all threads. No task may be under way. */
  async close(): Promise<void> {
    await this.#piscina.destroy();
  }

  async #runOne(task: ComputeTask, place: FailurePlace): Promise<ComputeResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        const reply: ComputeReply = await this.#piscina.run(task);
        if (!('error' in reply)) return reply;
        throw placed(fromErrorRecord(reply.error), task, place);
      } catch (error) {
        if (error instanceof TrainingError) throw error;
        this.#counters.restarts++;
        if (attempt === MAX_ATTEMPTS) throw placed(error, task, place, attempt);
        await this.#deadThreadsEnd(task, place);
        this.#counters.repeatedTasks++;
      }
    }
  }

  /** Remembers every thread's end before it can come. */
  #trackExits(): void {
    for (const thread of this.#piscina.threads) {
      if (this.#exits.has(thread)) continue;
      const exit = new Promise<void>((resolve) => {
        thread.once('exit', () => {
          this.#exits.delete(thread);
          resolve();
        });
      });
      this.#exits.set(thread, exit);
    }
  }

  /** Waits for the threads that piscina has dropped: until their end they might still write. */
  async #deadThreadsEnd(task: ComputeTask, place: FailurePlace): Promise<void> {
    const alive = new Set(this.#piscina.threads);
    const ends = [...this.#exits].filter(([thread]) => !alive.has(thread)).map(([, exit]) => exit);
    this.#trackExits();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(placed('its thread failed and did not end', task, place)),
        EXIT_LIMIT_SECONDS * 1000,
      );
    });
    await Promise.race([Promise.all(ends), limit]).finally(() => clearTimeout(timer));
  }
}

function placed(
  cause: unknown,
  task: ComputeTask,
  place: FailurePlace,
  attempts = 1,
): TrainingError {
  const full = { ...place, phase: task.kind, shard: 'shard' in task ? task.shard : undefined };
  const where = [
    full.step === undefined ? '' : `step ${full.step}, `,
    task.kind,
    full.shard === undefined ? '' : ` of shard ${full.shard}`,
  ].join('');
  const times = attempts > 1 ? ` ${attempts} times` : '';
  return new TrainingError(`A worker failed${times} at ${where}: ${messageOf(cause)}`, full, {
    cause,
  });
}
