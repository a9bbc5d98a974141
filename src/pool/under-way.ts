/** What the threads of a crew have to do: the phase at hand and the one given out ahead, what came of their shares, and who waits. */
import { fromErrorRecord } from '../errors.ts';
import type { ComputeReply, ComputeResult } from './compute-protocol.ts';
import { type FanOut, outcomeOf, type Slot } from './fan-out-state.ts';
import type { Phase } from './phase.ts';
import type { TaskRecord } from './share-record.ts';

/** Of a thread: what it has done of tasks in stages, and whether it waits for others; also once it has ended. */
interface ThreadProgress {
  done(record: number): TaskRecord[];
  readonly waiting: boolean;
}

/** A share, and the phase that it is of. */
interface GivenShare {
  phase: Phase;
  share: number;
}

export class UnderWay {
  /** Spent in tasks by each worker, but for what is given ahead. */
  readonly busySeconds: number[];
  /** The phase to come, where it has been given out. */
  ahead: Phase | undefined;
  readonly #busyAhead: number[];
  #phase: Phase | undefined;
  #waiter: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(workers: number) {
    this.busySeconds = new Array<number>(workers).fill(0);
    this.#busyAhead = new Array<number>(workers).fill(0);
  }

  /** At hand; undefined between two phases. */
  get phase(): Phase | undefined {
    return this.#phase;
  }

  /** A phase is at hand. Ended by `settle` or `reject`. */
  begin(phase: Phase): Promise<void> {
    this.#phase = phase;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** The phase given out ahead is at hand. */
  advance(): Promise<void> {
    const phase = this.ahead!;
    this.forgetAhead();
    return this.begin(phase);
  }

  forgetAhead(): void {
    this.ahead = undefined;
    for (const [slot, seconds] of this.#busyAhead.entries()) this.busySeconds[slot] += seconds;
    this.#busyAhead.fill(0);
  }

  /** A thread replied to the first of its shares; false where it has none. */
  take(index: number, slot: Slot, reply: ComputeReply, thread: ThreadProgress): boolean {
    const [given] = this.#sharesOf(slot);
    if (!given) return false;
    const { phase, share } = given;
    const refused = 'error' in reply;
    if (phase.together) this.#complete(index, given, thread.done(phase.record));
    else if (!refused) this.#complete(index, given, [reply]);
    if (refused) phase.noteCause(share, fromErrorRecord(reply.error));
    return true;
  }

  /** Names the task that is lost with a thread; what it had done in stages before is not, nor is what had not begun. */
  lose(index: number, slot: Slot, cause: Error, thread: ThreadProgress): string | undefined {
    const shares = this.#sharesOf(slot);
    for (const given of shares) {
      const { phase } = given;
      if (phase.together) this.#complete(index, given, thread.done(phase.record));
    }
    const at = shares.find(({ phase, share }) => phase.taskAt(share));
    if (!at || thread.waiting) return undefined;
    const { phase, share } = at;
    const task = phase.taskAt(share)!;
    phase.noteCause(share, cause);
    if (phase.together) phase.work.countDeath(task);
    return phase.describe(task).words;
  }

  /** Tells who waits for the phase at hand, where the machine says that it is over. */
  settle(state: FanOut, lastCause: unknown): void {
    const outcome = outcomeOf(state);
    const phase = this.#phase;
    if (!phase || outcome === 'running') return;
    this.#phase = undefined;
    if (outcome === 'done') this.#waiter!.resolve();
    else this.#waiter!.reject(phase.failure(state.failure!, lastCause));
  }

  reject(error: Error): void {
    this.#waiter?.reject(error);
  }

  /** What a thread has to do: first its share of the phase at hand, then that of the phase to come. */
  #sharesOf({ task, ahead }: Slot): GivenShare[] {
    const given: GivenShare[] = [];
    if (this.#phase && task !== null) given.push({ phase: this.#phase, share: task });
    if (this.ahead && ahead !== null) given.push({ phase: this.ahead, share: ahead });
    return given;
  }

  #complete(index: number, { phase, share }: GivenShare, results: readonly ComputeResult[]): void {
    const busy = phase === this.ahead ? this.#busyAhead : this.busySeconds;
    for (const { seconds } of results) busy[index] += seconds;
    phase.complete(share, results, index);
  }
}
