/** Numbered events for those who listen, the last of them kept for those who come back. */
import { randomBytes } from 'node:crypto';
import type { LiveEvents } from './protocol.ts';

/** Half a minute, at four times a second points and a state. */
const KEPT_EVENTS = 256;
/** Of those that were sent to somebody; what was not shares its data with the history. */
const KEPT_BYTES = 4 * 2 ** 20;

/** One server-sent event; its bytes are made when first asked for, once for all. */
export class LiveEvent {
  readonly #id: string;
  readonly #name: keyof LiveEvents;
  readonly #data: LiveEvents[keyof LiveEvents];
  #bytes: Buffer | undefined;

  constructor(id: string, name: keyof LiveEvents, data: LiveEvents[keyof LiveEvents]) {
    this.#id = id;
    this.#name = name;
    this.#data = data;
  }

  /** 0 where its bytes were not asked for. */
  get madeBytes(): number {
    return this.#bytes?.length ?? 0;
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(
      `id: ${this.#id}\nevent: ${this.#name}\ndata: ${JSON.stringify(this.#data)}\n\n`,
    );
    return this.#bytes;
  }
}

export type Listener = (event: LiveEvent) => void;

export class RunEvents {
  /** Tells the events of this process from those of one before it on the same port. */
  readonly #origin = randomBytes(6).toString('hex');
  readonly #kept: LiveEvent[] = [];
  readonly #listeners = new Set<Listener>();
  #last = 0;

  /** Of the last event. */
  get id(): string {
    return `${this.#origin}-${this.#last}`;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  publish<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    this.#last++;
    const event = new LiveEvent(this.id, name, data);
    this.#kept.push(event);
    for (const listener of this.#listeners) listener(event);
    while (this.#kept.length > KEPT_EVENTS || this.#keptBytes > KEPT_BYTES) this.#kept.shift();
  }

  get #keptBytes(): number {
    return this.#kept.reduce((sum, { madeBytes }) => sum + madeBytes, 0);
  }

  /** What came after the event `id`; undefined where that is not known any more, or never was. */
  since(id: string): LiveEvent[] | undefined {
    const [origin, number, ...rest] = id.split('-');
    if (origin !== this.#origin || !/^\d{1,15}$/.test(number ?? '') || rest.length > 0) return;
    const missed = this.#last - Number(number);
    if (missed < 0 || missed > this.#kept.length) return;
    return missed === 0 ? [] : this.#kept.slice(-missed);
  }

  /** An event that takes the place of all before it: nobody is to go on from those. */
  publishAnew<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    this.#kept.length = 0;
    this.publish(name, data);
  }

  /** Returns how to stop. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
