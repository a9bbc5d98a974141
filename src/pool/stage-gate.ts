/**
 * Counts, in memory that all threads share, of the tasks done in each stage: by them a thread knows that it may begin its
 * task of the next stage, without a way over the coordinator. Nobody waits at a gate for a thread that died: the coordinator
 * then recalls what has not begun, and gives it out anew.
 */

/** Of tasks that are given out together. */
export const MAX_STAGES = 4;

/** Set in a count: no task of a later stage is begun any more. */
const RECALLED = 2 ** 30;
/** After which a thread that was not woken looks again. */
const SLEEP_MILLISECONDS = 60_000;

export class StageGate {
  readonly memory: SharedArrayBuffer;
  /** (MAX_STAGES) */
  readonly #done: Int32Array;

  constructor(memory = new SharedArrayBuffer(MAX_STAGES * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#done = new Int32Array(memory);
  }

  /** No thread may have a task in a stage. */
  reset(): void {
    for (let stage = 0; stage < MAX_STAGES; stage++) Atomics.store(this.#done, stage, 0);
  }

  /** All that wait go, to begin nothing; what has begun goes on. */
  recall(): void {
    for (let stage = 0; stage < MAX_STAGES; stage++) {
      Atomics.or(this.#done, stage, RECALLED);
      Atomics.notify(this.#done, stage);
    }
  }

  /** A task of the stage is done: whoever sees the count sees all that it wrote. */
  arrive(stage: number): void {
    Atomics.add(this.#done, stage, 1);
    Atomics.notify(this.#done, stage);
  }

  /** Waits until `tasks` tasks of the stage are done; an arrival, `recall` or `terminate` ends it. False where recalled. */
  await(stage: number, tasks: number): boolean {
    for (;;) {
      const done = Atomics.load(this.#done, stage);
      if (done >= RECALLED) return false;
      if (done >= tasks) return true;
      Atomics.wait(this.#done, stage, done, SLEEP_MILLISECONDS);
    }
  }
}
