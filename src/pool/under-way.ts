/** What the threads of a crew have to do: the round at hand and the one given out ahead, what came of their shares, and who waits. */
import { fromErrorRecord } from '../errors.ts';
import type { ComputeReply, ComputeResult } from './compute-protocol.ts';
import { type FanOut, outcomeOf, type Slot } from './fan-out-state.ts';
import type { Round } from './round.ts';
import type { TaskRecord } from './share-record.ts';

/** Of a thread: what it has done of tasks in stages, and whether it waits for others; also once it has ended. */
interface ThreadProgress {
  done(record: number): TaskRecord[];
  readonly waiting: boolean;
}

/** A share, and the round that it is of. */
interface GivenShare {
  round: Round;
  share: number;
}

export class UnderWay {
  /** Spent in tasks by each worker, but for what is given ahead. */
  readonly busySeconds: number[];
  /** The round to come, where it has been given out. */
  ahead: Round | undefined;
  readonly #busyAhead: number[];
  #round: Round | undefined;
  #waiter: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(workers: number) {
    this.busySeconds = new Array<number>(workers).fill(0);
    this.#busyAhead = new Array<number>(workers).fill(0);
  }

  /** At hand; undefined between two rounds. */
  get round(): Round | undefined {
    return this.#round;
  }

  /** A round is at hand. Ended by `settle` or `reject`. */
  begin(round: Round): Promise<void> {
    this.#round = round;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** The round given out ahead is at hand. */
  advance(): Promise<void> {
    const round = this.ahead!;
    this.forgetAhead();
    return this.begin(round);
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
    const { round, share } = given;
    const refused = 'error' in reply;
    if (round.together) this.#complete(index, given, thread.done(round.record));
    else if (!refused) this.#complete(index, given, [reply]);
    if (refused) round.noteCause(share, fromErrorRecord(reply.error));
    return true;
  }

  /** Names the task that is lost with a thread; what it had done in stages before is not, nor is what had not begun. */
  lose(index: number, slot: Slot, cause: Error, thread: ThreadProgress): string | undefined {
    const shares = this.#sharesOf(slot);
    for (const given of shares) {
      const { round } = given;
      if (round.together) this.#complete(index, given, thread.done(round.record));
    }
    const at = shares.find(({ round, share }) => round.taskAt(share));
    if (!at || thread.waiting) return undefined;
    const { round, share } = at;
    const task = round.taskAt(share)!;
    round.noteCause(share, cause);
    if (round.together) round.work.countDeath(task);
    return round.describe(task).words;
  }

  /** Tells who waits for the round at hand, where the machine says that it is over. */
  settle(state: FanOut, lastCause: unknown): void {
    const outcome = outcomeOf(state);
    const round = this.#round;
    if (!round || outcome === 'running') return;
    this.#round = undefined;
    if (outcome === 'done') this.#waiter!.resolve();
    else this.#waiter!.reject(round.failure(state.failure!, lastCause));
  }

  reject(error: Error): void {
    this.#waiter?.reject(error);
  }

  /** What a thread has to do: first its share of the round at hand, then that of the round to come. */
  #sharesOf({ share, ahead }: Slot): GivenShare[] {
    const given: GivenShare[] = [];
    if (this.#round && share !== null) given.push({ round: this.#round, share });
    if (this.ahead && ahead !== null) given.push({ round: this.ahead, share: ahead });
    return given;
  }

  #complete(index: number, { round, share }: GivenShare, results: readonly ComputeResult[]): void {
    const busy = round === this.ahead ? this.#busyAhead : this.busySeconds;
    for (const { seconds } of results) busy[index] += seconds;
    round.complete(share, results, index);
  }
}
