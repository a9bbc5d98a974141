/**
 * One thread of the compute pool: a piscina of one, whose only task is to serve a channel of tasks. In a larger one it could not be
 * known which thread has a task, so neither which to end when it hangs nor whether the one that died has ended; and one thread that
 * dies while it loads would keep piscina from replacing any other.
 */
import type { Worker } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { ComputeReply, ComputeTask, ComputeThreadData } from './compute-protocol.ts';
import type { TaskRecord } from './share-record.ts';
import { singleThread } from './single-thread.ts';
import type { StageGates } from './stage-gates.ts';
import type { StagedMessage } from './stage-server.ts';
import { TaskChannel } from './task-channel.ts';
import { noteStuck, noteThread, refusedStart } from './threads.ts';
import { EXIT_LIMIT_SECONDS, LOAD_LIMIT_SECONDS, noProgress, Watch } from './watch.ts';

/** What the thread was given and has not answered yet. */
interface Given {
  watch: Watch;
  replied(reply: ComputeReply): void;
  /** Of tasks in stages. */
  record?: number;
}

/** The reply to tasks whose results are in the record. */
const OVER: ComputeReply = { startedSeconds: 0, seconds: 0 };

/** After `broken` comes `ended` or `stuck`; nothing is told after `ended` or `refused`. */
export interface ComputeThreadEvents {
  /** The thread has loaded and can be given a task. */
  ready(): void;
  replied(reply: ComputeReply): void;
  /** It is worth while to look at what all threads have done up to their shares in this record. */
  over(record: number): void;
  /** The thread must be ended: it makes no progress, or failed outside its task and is about to end. */
  broken(): void;
  /** The thread has ended and writes no more. */
  ended(cause: Error): void;
  /** The thread was told to end, and does not. */
  stuck(cause: Error): void;
  /** The system started no thread. Told once the constructor has returned. */
  refused(cause: Error): void;
}

export class ComputeThread {
  readonly #piscina: Piscina;
  /** Undefined where the system refused to start it. */
  readonly #worker: Worker | undefined;
  readonly #events: ComputeThreadEvents;
  readonly #watches: { loading: Watch; task: Watch };
  readonly #channel: TaskChannel;
  readonly #given: Given[] = [];
  /** Settled by the thread's end or, once it was told to end, by the exit limit. */
  readonly #over: Promise<void>;
  #isOver!: () => void;
  #cause: Error | undefined;
  #ending: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** `limitSeconds`: what loading or a task may take; 0 for any time. `gates`: of all threads of the pool. */
  constructor(
    data: ComputeThreadData,
    gates: StageGates,
    limitSeconds: number,
    events: ComputeThreadEvents,
  ) {
    this.#events = events;
    this.#channel = new TaskChannel(gates, {
      replied: (reply, record) => {
        this.#lookAt(this.#given.findIndex((given) => given.record === record));
        this.#answer(reply);
      },
      over: (record) => events.over(record),
    });
    const { record } = this.#channel;
    this.#over = new Promise((resolve) => {
      this.#isOver = resolve;
    });
    const loadLimit = limitSeconds && Math.max(limitSeconds, LOAD_LIMIT_SECONDS);
    this.#watches = {
      loading: new Watch(loadLimit, () => this.#break(noProgress(loadLimit))),
      task: new Watch(limitSeconds, () => this.#beLate(limitSeconds), record.pulse),
    };
    this.#piscina = singleThread(data);
    this.#expect({ watch: this.#watches.loading, replied: () => this.#events.ready() });
    this.#channel.post({ kind: 'ping' });
    this.#worker = this.#start();
  }

  /** -1 where the thread has ended. */
  get id(): number {
    return this.#worker?.threadId ?? -1;
  }

  /** Tasks in stages that are done; also once the thread has ended. */
  done(record: number): TaskRecord[] {
    return this.#channel.record.done(record);
  }

  /** Whether it waits for others, or has nothing left to do, or so it was when it ended. */
  get waiting(): boolean {
    const { record } = this.#channel;
    const last = this.#given.at(-1)?.record;
    return record.waiting || (last !== undefined && record.isOver(last));
  }

  /** The thread must be ready. What it is given while it is busy it does afterwards. */
  run(task: ComputeTask): void {
    this.#expect({ watch: this.#watches.task, replied: (reply) => this.#events.replied(reply) });
    this.#channel.post(task);
  }

  /** The same of a share of tasks of different stages, in their order. There is one reply to all, once somebody looks. */
  runStages(messages: readonly StagedMessage[]): void {
    const [{ record }] = messages;
    const replied = (reply: ComputeReply) => this.#events.replied(reply);
    this.#expect({ watch: this.#watches.task, replied, record });
    this.#channel.postStages(messages);
  }

  /**
   * Takes notice of what the thread has done, up to its share in `record` or of all its shares. Of those that are not over `over` will
   * be told, which else happens at the end of a share only where all other threads are through with theirs.
   */
  look(record?: number): void {
    const last = this.#given.findIndex((given) => given.record === record);
    this.#lookAt(record === undefined ? this.#given.length : last + 1);
  }

  /** What is under way may take as long again from now on. */
  grantTime(): void {
    this.#watches.task.renew();
  }

  /** Ends the thread, whatever it does but a call of the system or of native code, which it finishes first. */
  end(): void {
    const worker = this.#worker;
    if (this.#hasEnded || this.#ending || !worker) return;
    this.#ending = setTimeout(() => {
      noteStuck(worker);
      this.#isOver();
      this.#events.stuck(this.#cause ?? new Error('the thread was told to end'));
    }, EXIT_LIMIT_SECONDS * 1000);
    void worker.terminate();
  }

  /** Ends the thread and waits for its end, or until it is found stuck. */
  async close(): Promise<void> {
    this.end();
    await this.#over;
  }

  #start(): Worker | undefined {
    const { threadEnd } = this.#channel;
    try {
      // Serving never ends by itself. Should the thread fail outside its tasks, it is not to be trusted; its end is told by its exit.
      this.#piscina
        .run(threadEnd, { transferList: [threadEnd.port] })
        .catch((error) => this.#break(error));
    } catch (error) {
      this.#release();
      // Not piscina.destroy: it would reject the task that it has queued, which nobody holds.
      queueMicrotask(() => this.#events.refused(refusedStart(error)));
      return undefined;
    }
    const [worker] = this.#piscina.threads;
    noteThread(worker, () => false); // It computes.
    worker.on('error', (error) => this.#break(error));
    worker.once('exit', (code) => this.#end(code));
    return worker;
  }

  /** Settled by the thread's reply or end, which the watch and the exit limit bring about. */
  #expect(given: Given): void {
    this.#given.push(given);
    given.watch.begin();
  }

  /** To what is in turn. */
  #answer(reply: ComputeReply): void {
    if (this.#hasEnded) return;
    const given = this.#given.shift()!;
    if (this.#given.length === 0) given.watch.end();
    else given.watch.begin();
    given.replied(reply);
  }

  /** At the first `count` that were given. */
  #lookAt(count: number): void {
    if (this.#hasEnded) return;
    // At all of them, also where one before them is not over: each that is not will be told of.
    const over = this.#given
      .slice(0, Math.max(0, count))
      .map(({ record }) => record !== undefined && this.#channel.record.look(record));
    for (const isOver of over) {
      if (!isOver) return;
      this.#answer(OVER);
    }
  }

  /** A thread that waits for others is not the one to be ended. */
  #beLate(limitSeconds: number): void {
    if (this.waiting) this.#watches.task.begin();
    else this.#break(noProgress(limitSeconds));
  }

  #break(cause: Error): void {
    if (this.#hasEnded) return;
    this.#cause ??= cause;
    this.#events.broken();
  }

  #end(code: number): void {
    this.#release();
    void this.#piscina.destroy();
    this.#events.ended(this.#cause ?? new Error(`the thread ended with exit code ${code}`));
  }

  /** The thread writes no more. */
  #release(): void {
    this.#hasEnded = true;
    clearTimeout(this.#ending);
    for (const watch of Object.values(this.#watches)) watch.close();
    this.#channel.close();
    this.#isOver();
  }
}
