/**
 * Counts, in memory that all threads share, of the tasks done in each stage: by them a thread knows that it may begin its
 * task of the next stage, without a way over the coordinator, which counts as one more where it holds them. Nobody waits at a
 * gate for a thread that died: the coordinator then recalls what has not begun, and gives it out anew.
 */

/** Of tasks that are given out together: those of four steps of training. */
export const MAX_STAGES = 12;
/**
 * Sets of counts, used in turn: for the stages at hand, for those given ahead, and for those before, which a thread may still
 * have to look at to begin the ones at hand.
 */
export const GATES = 3;

/** A stage, of the counts of that number. */
export interface GatedStage {
  gate: number;
  stage: number;
}

/** Set in a count: no task that waits for it is begun any more. */
const RECALLED = 2 ** 30;
/** After which a thread that was not woken looks again. */
const SLEEP_MILLISECONDS = 60_000;
/**
 * Threads that are not more than the cores look so long before they sleep: to wake one takes half of that, which is a tenth
 * of a step of 1 ms.
 */
export const PATIENCE_MILLISECONDS = 0.1;
/** Before the clock is read, of which each reading makes garbage. */
const LOOKS = 200;

export class StageGates {
  readonly memory: SharedArrayBuffer;
  /** Milliseconds that a thread looks again and again before it sleeps. */
  readonly patience: number;
  /** (GATES, MAX_STAGES) */
  readonly #done: Int32Array;

  constructor(
    patience: number,
    memory = new SharedArrayBuffer(GATES * MAX_STAGES * Int32Array.BYTES_PER_ELEMENT),
  ) {
    this.patience = patience;
    this.memory = memory;
    this.#done = new Int32Array(memory);
  }

  /** Nobody may look at these counts. */
  reset(gate: number): void {
    for (let stage = 0; stage < MAX_STAGES; stage++) {
      Atomics.store(this.#done, wordOf({ gate, stage }), 0);
    }
  }

  /** All that wait go, to begin nothing; what has begun goes on. */
  recall(): void {
    for (let word = 0; word < this.#done.length; word++) {
      Atomics.or(this.#done, word, RECALLED);
      Atomics.notify(this.#done, word);
    }
  }

  /** A task of the stage is done: whoever sees the count sees all that it wrote. Returns how many are. */
  arrive(stage: GatedStage): number {
    const before = Atomics.add(this.#done, wordOf(stage), 1);
    Atomics.notify(this.#done, wordOf(stage));
    return (before & ~RECALLED) + 1;
  }

  /** Waits until `tasks` tasks of the stage are done; an arrival, `recall` or `terminate` ends it. False where recalled. */
  await(stage: GatedStage, tasks: number): boolean {
    const patient = performance.now() + this.patience;
    for (;;) {
      const done = this.#look(wordOf(stage), tasks);
      if (done >= RECALLED) return false;
      if (done >= tasks) return true;
      if (performance.now() < patient) continue;
      Atomics.wait(this.#done, wordOf(stage), done, SLEEP_MILLISECONDS);
    }
  }

  /** The count, seen as soon as it is `tasks`, or after LOOKS. */
  #look(word: number, tasks: number): number {
    let done = Atomics.load(this.#done, word);
    for (let looks = 1; looks < LOOKS && done < tasks; looks++) {
      done = Atomics.load(this.#done, word);
    }
    return done;
  }
}

function wordOf({ gate, stage }: GatedStage): number {
  return gate * MAX_STAGES + stage;
}
