/** The events of a run as they are sent to those who listen, the last of them kept for those who come back. */
import { randomBytes } from 'node:crypto';
import { type Reused, reuse } from '../metrics/reuse.ts';
import type { FeedEvent, FeedSnapshot, LiveFeed } from './feed.ts';
import type { LiveEvents } from './protocol.ts';

/** Half a minute, at four times a second points and a state. */
const KEPT_EVENTS = 256;
const KEPT_BYTES = 4 * 2 ** 20;
/** How long a snapshot is sent to those who come: it may take some milliseconds of the run's time to make. */
const SHARED_MILLISECONDS = 500;

/** A server-sent event. */
export interface SentEvent {
  number: number;
  bytes: Buffer;
}

export class RunEvents {
  /** Tells the events of this feed from those of one before it on the same port. */
  readonly #origin = randomBytes(6).toString('hex');
  readonly #snapshot: Reused<FeedSnapshot>;
  /** Their numbers follow each other, up to that of the last event. */
  readonly #kept: SentEvent[] = [];
  #keptBytes = 0;
  /** The highest number that was told of: a snapshot may come sooner than the last events before it. */
  #last = 0;
  readonly #listeners = new Set<(event: SentEvent) => void>();

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(feed: LiveFeed, now?: () => number) {
    this.#snapshot = reuse(async () => feed.snapshot(), SHARED_MILLISECONDS, now);
    feed.listen((event) => this.#add(event));
  }

  /** Calls `listener` with each event to come. Returns how to stop. */
  listen(listener: (event: SentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What one who has seen the event `lastId` has not, up to now: what came after it or, where that is not kept, a snapshot and
   * what came after that. However many ask, the run is asked for a snapshot twice a second, or once for 256 events. Rejects
   * where it gives none.
   */
  async unseen(lastId: string | undefined): Promise<readonly SentEvent[]> {
    const number = this.#numberOf(lastId);
    return (number !== undefined && this.#after(number)) || (await this.#snapshotAndAfter());
  }

  async #snapshotAndAfter(): Promise<readonly SentEvent[]> {
    for (;;) {
      const snapshot = await this.#snapshot.read();
      this.#last = Math.max(this.#last, snapshot.number);
      const later = this.#after(snapshot.number);
      if (later) return [this.#toSend({ ...snapshot, name: 'snapshot' }), ...later];
      this.#snapshot.forget();
    }
  }

  #add(event: FeedEvent): void {
    // It takes the place of all before it.
    if (event.name === 'snapshot') this.#dropOldest(this.#kept.length);
    const sent = this.#toSend(event);
    this.#kept.push(sent);
    this.#keptBytes += sent.bytes.length;
    this.#last = Math.max(this.#last, sent.number);
    while (this.#kept.length > KEPT_EVENTS || this.#keptBytes > KEPT_BYTES) this.#dropOldest(1);
    for (const listener of this.#listeners) listener(sent);
  }

  #dropOldest(count: number): void {
    for (const { bytes } of this.#kept.splice(0, count)) this.#keptBytes -= bytes.length;
  }

  /** What is kept and came after the event of this number; undefined where some of that is not kept, or it never was. */
  #after(number: number): readonly SentEvent[] | undefined {
    const known = this.#kept[0] ? this.#kept[0].number - 1 : this.#last;
    if (number < known || number > this.#last) return;
    return this.#kept.filter((event) => event.number > number);
  }

  #toSend({ number, name, json }: FeedEvent | (FeedSnapshot & { name: keyof LiveEvents })) {
    const id = `${this.#origin}-${number}`;
    return { number, bytes: Buffer.from(`id: ${id}\nevent: ${name}\ndata: ${json}\n\n`) };
  }

  /** Of an id that was given by this object; undefined of any other. */
  #numberOf(id = ''): number | undefined {
    const [origin, number, ...rest] = id.split('-');
    if (origin !== this.#origin || !/^\d{1,15}$/.test(number ?? '') || rest.length > 0) return;
    return Number(number);
  }
}
