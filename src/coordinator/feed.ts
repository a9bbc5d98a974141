/**
 * Keeps the next chunks ready: loading overlaps with computing. The loader fills ring slots in order, at most as many ahead
 * as there are slots beside the one in use. Waits for a fill as long as the loader may take for one: --worker-timeout.
 */

/** Fills one ring slot with one chunk. */
export type FillSlot<Chunk> = (chunk: Chunk, slot: number) => Promise<unknown>;

export interface FedChunk<Chunk> {
  chunk: Chunk;
  slot: number;
  /** Seconds the caller had to wait for it. */
  waitSeconds: number;
}

export class ChunkFeed<Chunk> {
  readonly #chunks: Iterator<Chunk>;
  readonly #slots: number;
  readonly #fill: FillSlot<Chunk>;
  readonly #ahead: { chunk: Chunk; slot: number; filled: Promise<unknown>; done: boolean }[] = [];
  #requested = 0;

  constructor(chunks: Iterable<Chunk>, slots: number, fill: FillSlot<Chunk>) {
    this.#chunks = chunks[Symbol.iterator]();
    this.#slots = slots;
    this.#fill = fill;
  }

  /**
   * The next chunk, filled; undefined after the last. Its slot stays untouched until the call after. Rejects with the
   * loader's error.
   */
  async next(): Promise<FedChunk<Chunk> | undefined> {
    this.refill();
    const head = this.#ahead.shift();
    if (!head) return undefined;
    const started = performance.now();
    await head.filled;
    return {
      chunk: head.chunk,
      slot: head.slot,
      waitSeconds: (performance.now() - started) / 1000,
    };
  }

  /** The chunk that `next` will return, where it is filled already. */
  get ready(): Pick<FedChunk<Chunk>, 'chunk' | 'slot'> | undefined {
    const [head] = this.#ahead;
    return head?.done ? head : undefined;
  }

  /** Chunks that lie ready ahead of the one that `next` returned last. */
  get readyAhead(): number {
    return this.#ahead.filter(({ done }) => done).length;
  }

  /** Waits for the fills under way, whose results nobody will use. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#ahead.splice(0).map(({ filled }) => filled));
  }

  /**
   * Has all slots filled but the one in use. `next` does so too: to be called earlier, once the pool computes, so that it does
   * not wait for the requests.
   */
  refill(): void {
    while (this.#ahead.length < this.#slots - 1) {
      const { value: chunk, done } = this.#chunks.next();
      if (done) return;
      const slot = this.#requested++ % this.#slots;
      const request = { chunk, slot, filled: this.#fill(chunk, slot), done: false };
      request.filled.then(
        () => {
          request.done = true;
        },
        // The rejection is reported by `next`; a chunk nobody asks for must not end the process.
        () => undefined,
      );
      this.#ahead.push(request);
    }
  }
}
