/** How far a thread has come with its tasks in stages, in memory that it shares with the coordinator and that outlives it. */
import { MAX_STAGES } from './stage-gate.ts';

/** When a task began, on the clock of `clock.ts`, and the seconds that it took. */
export interface TaskTimes {
  startedSeconds: number;
  seconds: number;
}

const DONE = 0;
const WAITING = 1;
/** Bytes before the times: two words, in a cache line of their own. */
const HEAD_BYTES = 64;

export class JobRecord {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** (MAX_STAGES, 2) */
  readonly #times: Float64Array;

  constructor(
    memory = new SharedArrayBuffer(HEAD_BYTES + MAX_STAGES * 2 * Float64Array.BYTES_PER_ELEMENT),
  ) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 2);
    this.#times = new Float64Array(memory, HEAD_BYTES);
  }

  /** (1): changes with every task that is done. */
  get pulse(): Int32Array {
    return this.#words.subarray(DONE, DONE + 1);
  }

  /** The tasks that are done, in order of stage. */
  get done(): TaskTimes[] {
    return Array.from({ length: Atomics.load(this.#words, DONE) }, (_, stage) => ({
      startedSeconds: this.#times[2 * stage],
      seconds: this.#times[2 * stage + 1],
    }));
  }

  /** Whether the thread waits for others. */
  get waiting(): boolean {
    return Atomics.load(this.#words, WAITING) === 1;
  }

  set waiting(waits: boolean) {
    Atomics.store(this.#words, WAITING, waits ? 1 : 0);
  }

  /** The next tasks begin. */
  reset(): void {
    this.waiting = false;
    Atomics.store(this.#words, DONE, 0);
  }

  add({ startedSeconds, seconds }: TaskTimes): void {
    const stage = Atomics.load(this.#words, DONE);
    this.#times[2 * stage] = startedSeconds;
    this.#times[2 * stage + 1] = seconds;
    Atomics.add(this.#words, DONE, 1);
  }
}
