/** What a run tells those who show it, be they in its own thread or in another one. */
import type { LiveEvents, Snapshot } from './protocol.ts';

/** Something that has happened. */
export interface FeedEvent {
  /** One more than that of the event before it. */
  number: number;
  name: keyof LiveEvents;
  /** Of this name's data. */
  json: string;
}

/** What the run has been, up to an event and with it. */
export interface FeedSnapshot {
  /** Of the last event before it, or in it; 0 where there was none. */
  number: number;
  /** Of a `Snapshot`. */
  json: string;
}

/** A `LiveRun` is one. */
export interface LiveFeed {
  /** Calls `listener` with each event to come, in their order. Returns how to stop. */
  listen(listener: (event: FeedEvent) => void): () => void;
  snapshot(): FeedSnapshot | Promise<FeedSnapshot>;
}

/** The events of a run as they come to be. */
export class FeedEvents {
  readonly #listeners = new Set<(event: FeedEvent) => void>();
  #number = 0;

  publish<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    const event: FeedEvent = { number: ++this.#number, name, json: JSON.stringify(data) };
    for (const listener of this.#listeners) listener(event);
  }

  listen(listener: (event: FeedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `snapshot`: of all events so far. */
  snapshotOf(snapshot: Snapshot): FeedSnapshot {
    return { number: this.#number, json: JSON.stringify(snapshot) };
  }
}
