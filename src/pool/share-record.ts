/**
 * How far a thread has come with its tasks in stages, in memory that it shares with the coordinator and that outlives it: with those
 * at hand, and those that were given ahead.
 *
 * Who tells whom: a thread adds each task that it has done and in the end finishes the record; the coordinator, woken by the thread
 * that closed the last stage, looks at it. Whoever comes second acts: a look that finds OVER has its answer, a `finish` that finds
 * AWAITED posts one. So of threads that are through with a step only one wakes the coordinator.
 */
import type { ComputeResult } from './compute-protocol.ts';
import { MAX_STAGES } from './stage-gates.ts';

/** When a task began, on the clock of `clock.ts`, the seconds that it took, and whether nothing may build on it. */
export interface TaskRecord {
  startedSeconds: number;
  seconds: number;
  halts: boolean;
}

/** Shares that a thread may have at once: one at hand, one ahead. */
export const RECORDS = 2;

/** Words: tasks done, by record; whose turn it is, by record; 1 while the thread waits for others; the pulse. */
const TURN = RECORDS;
const WAITING = 2 * RECORDS;
const PULSE = WAITING + 1;
/** Set in a turn: the thread has nothing more to do for its share; the coordinator has looked, and is to be told. */
const OVER = 1;
const AWAITED = 2;
/** Bytes before the tasks: the words, in a cache line of their own. */
const HEAD_BYTES = 64;
/** Numbers that are kept of a task: those of TaskRecord. */
const TASK_NUMBERS = 3;

export class ShareRecord {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** (RECORDS, MAX_STAGES, TASK_NUMBERS) */
  readonly #tasks: Float64Array;

  constructor(
    memory = new SharedArrayBuffer(
      HEAD_BYTES + RECORDS * MAX_STAGES * TASK_NUMBERS * Float64Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, PULSE + 1);
    this.#tasks = new Float64Array(memory, HEAD_BYTES);
  }

  /** (1): changes with every task that is done, and when waiting ends. */
  get pulse(): Int32Array {
    return this.#words.subarray(PULSE, PULSE + 1);
  }

  /** Whether the thread waits for others. */
  get waiting(): boolean {
    return Atomics.load(this.#words, WAITING) === 1;
  }

  set waiting(waits: boolean) {
    // The time of waiting is not the next task's: the pulse first.
    if (!waits) this.#beat();
    Atomics.store(this.#words, WAITING, waits ? 1 : 0);
  }

  /** The tasks that are done, in their order. */
  done(record: number): TaskRecord[] {
    return Array.from({ length: Atomics.load(this.#words, record) }, (_, i) => {
      const at = placeOf(record, i);
      const [startedSeconds, seconds, halts] = this.#tasks.subarray(at, at + TASK_NUMBERS);
      return { startedSeconds, seconds, halts: halts === 1 };
    });
  }

  /** Others begin, of which none is done. */
  reset(record: number): void {
    Atomics.store(this.#words, record, 0);
    Atomics.store(this.#words, TURN + record, 0);
  }

  /** By the thread, which does nothing more for its share. Whether the coordinator has looked before, and must be told. */
  finish(record: number): boolean {
    return (Atomics.or(this.#words, TURN + record, OVER) & AWAITED) !== 0;
  }

  /** By the coordinator: whether the thread is through with its share; where it is not, it will tell. */
  look(record: number): boolean {
    return (Atomics.or(this.#words, TURN + record, AWAITED) & OVER) !== 0;
  }

  /** Whether the thread is through with its share. */
  isOver(record: number): boolean {
    return (Atomics.load(this.#words, TURN + record) & OVER) !== 0;
  }

  add(record: number, { startedSeconds, seconds, halts = false }: ComputeResult): void {
    const at = placeOf(record, Atomics.load(this.#words, record));
    this.#tasks[at] = startedSeconds;
    this.#tasks[at + 1] = seconds;
    this.#tasks[at + 2] = halts ? 1 : 0;
    Atomics.add(this.#words, record, 1);
    this.#beat();
  }

  #beat(): void {
    Atomics.store(this.#words, PULSE, Atomics.load(this.#words, PULSE) + 1);
  }
}

function placeOf(record: number, task: number): number {
  return TASK_NUMBERS * (record * MAX_STAGES + task);
}
