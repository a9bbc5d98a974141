/** Busy seconds by worker slot 0 … W−1: a thread keeps its slot for life, a new thread takes that of a dead one. */

export class WorkerTimes {
  /** By slot. */
  readonly seconds: number[];
  readonly #slots = new Map<number, number>();

  constructor(workers: number) {
    this.seconds = new Array<number>(workers).fill(0);
  }

  /** Adds what a thread spent. `alive`: ids of all threads, consulted when the thread is new. */
  add(threadId: number, seconds: number, alive: () => readonly number[]): void {
    const slot = this.#slots.get(threadId) ?? this.#assign(threadId, alive());
    this.seconds[slot] += seconds;
  }

  #assign(threadId: number, alive: readonly number[]): number {
    for (const known of this.#slots.keys()) if (!alive.includes(known)) this.#slots.delete(known);
    const taken = new Set(this.#slots.values());
    const slot = Math.max(
      0,
      this.seconds.findIndex((_, candidate) => !taken.has(candidate)),
    );
    this.#slots.set(threadId, slot);
    return slot;
  }
}
