/**
 * Keeps the next chunks ready: loading overlaps with computing. The loader fills ring slots in order, at most as many ahead
 * as there are slots beside those in use. Waits for fills as long as the loader may take for them: --worker-timeout.
 */
import { chunkWindow, type StreamPlan } from '../data/streams.ts';
import { fromErrorRecord } from '../errors.ts';
import type { RingSlot } from '../memory/layout.ts';
import type { FillOutcome, FillRequest, StreamsRequest } from '../pool/actor-protocol.ts';

/** A chunk, and the ring slot it is filled into. */
export interface Placed<Chunk> {
  chunk: Chunk;
  slot: number;
}

/** Fills slots; resolves with what came of each. */
export type FillSlots<Chunk> = (
  wanted: readonly Placed<Chunk>[],
) => Promise<readonly FillOutcome[]>;

export interface FedChunk<Chunk> extends Placed<Chunk> {
  /** Seconds the caller had to wait for it. */
  waitSeconds: number;
}

export class ChunkFeed<Chunk> {
  readonly #chunks: Iterator<Chunk>;
  readonly #slots: number;
  /** Chunks asked for at once: half of those that can be ahead. */
  readonly #together: number;
  readonly #fill: FillSlots<Chunk>;
  readonly #ahead: (Placed<Chunk> & { filled: Promise<void>; done: boolean })[] = [];
  #requested = 0;
  /** Slots of the chunks that `next` returned last. */
  #inUse = 0;

  constructor(chunks: Iterable<Chunk>, slots: number, fill: FillSlots<Chunk>) {
    this.#chunks = chunks[Symbol.iterator]();
    this.#slots = slots;
    this.#together = Math.ceil((slots - 1) / 2);
    this.#fill = fill;
  }

  /**
   * The next chunk, once it is filled, and those after it that are filled then, `most` in all and half as many as are asked for at
   * once, so that as many can be ready ahead meanwhile; none after the last. Their slots stay untouched until the call after.
   * Rejects with the loader's error.
   */
  async next(most = 1): Promise<FedChunk<Chunk>[]> {
    this.#inUse = 0;
    this.refill();
    const head = this.#ahead.shift();
    if (!head) return [];
    const started = performance.now();
    await head.filled;
    const waitSeconds = (performance.now() - started) / 1000;
    const others = this.#filled(Math.min(most, this.#mostAtOnce) - 1);
    const chunks = [head, ...this.#ahead.splice(0, others.length)];
    this.#inUse = chunks.length;
    return chunks.map(({ chunk, slot }, i) => ({
      ...{ chunk, slot },
      waitSeconds: i === 0 ? waitSeconds : 0,
    }));
  }

  /** The chunks that `next` will return, `most` at most, of those that are filled already. */
  ready(most: number): Placed<Chunk>[] {
    return this.#filled(Math.min(most, this.#mostAtOnce));
  }

  /** Chunks that lie ready ahead of those that `next` returned last. */
  get readyAhead(): number {
    return this.#ahead.filter(({ done }) => done).length;
  }

  /** Waits for the fills under way, whose results nobody will use. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#ahead.splice(0).map(({ filled }) => filled));
  }

  /**
   * Has slots filled, of those that are not in use or filled already, where as many as are asked for at once are free: each request
   * wakes the loader, and its answer this thread, and both take a core from the pool. `next` does so too: to be called earlier,
   * once the pool computes, so that it does not wait for the requests.
   */
  refill(): void {
    while (Math.max(1, this.#inUse) + this.#ahead.length + this.#together <= this.#slots) {
      const wanted = this.#place(this.#together);
      if (wanted.length === 0) return;
      this.#request(wanted);
    }
  }

  /** Chunks that may be taken at once. */
  get #mostAtOnce(): number {
    return Math.max(1, Math.floor(this.#together / 2));
  }

  /** The first chunks ahead that are filled, at most so many. */
  #filled(most: number): Placed<Chunk>[] {
    const filled = this.#ahead.findIndex(({ done }) => !done);
    return this.#ahead.slice(0, filled < 0 ? most : Math.min(most, filled));
  }

  /** The next chunks, at most so many, and where they go. */
  #place(most: number): Placed<Chunk>[] {
    const placed: Placed<Chunk>[] = [];
    while (placed.length < most) {
      const { value: chunk, done } = this.#chunks.next();
      if (done) break;
      placed.push({ chunk, slot: this.#requested++ % this.#slots });
    }
    return placed;
  }

  #request(wanted: readonly Placed<Chunk>[]): void {
    const filling = this.#fill(wanted);
    for (const [i, { chunk, slot }] of wanted.entries()) {
      const filled = filling.then((outcomes) => {
        const outcome = outcomes[i];
        if ('error' in outcome) throw fromErrorRecord(outcome.error);
        request.done = true;
      });
      const request = { chunk, slot, filled, done: false };
      // The rejection is reported by `next`; a chunk nobody asks for must not end the process.
      filled.catch(() => undefined);
      this.#ahead.push(request);
    }
  }
}

/** What fills slots of `ring` with chunks of a text that is cut by `plan`. */
export function fillRequests(
  wanted: readonly Placed<number>[],
  plan: StreamPlan,
  source: StreamsRequest,
  ring: readonly RingSlot[],
): FillRequest[] {
  return wanted.map(({ chunk, slot }) => {
    const { start, times } = chunkWindow(plan, chunk);
    return { start, times, ...source, ...ring[slot] };
  });
}
