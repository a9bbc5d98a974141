/** What one is sent who comes to a run: a snapshot that those who come at about the same time share, and what came after it. */
import type { Snapshot } from './protocol.ts';
import { LiveEvent, type RunEvents } from './run-events.ts';

/** How long a snapshot is sent to those who come: it may take some milliseconds to make. */
const SHARED_MILLISECONDS = 500;

export class SharedSnapshot {
  readonly #events: RunEvents;
  readonly #now: () => number;
  readonly #take: () => Snapshot;
  #made: { id: string; at: number; event: LiveEvent } | undefined;

  /** `take` publishes what is pending, which must not be told after the snapshot that holds it. `now`: milliseconds. */
  constructor(events: RunEvents, now: () => number, take: () => Snapshot) {
    this.#events = events;
    this.#now = now;
    this.#take = take;
  }

  /** The snapshot first; however often it is asked for, one is made twice a second at most. */
  andSince(): readonly LiveEvent[] {
    const made = this.#made;
    const isRecent = made && this.#now() - made.at < SHARED_MILLISECONDS;
    const since = isRecent && this.#events.since(made.id);
    if (since) return [made.event, ...since];
    const snapshot = this.#take();
    const { id } = this.#events;
    const event = new LiveEvent(id, 'snapshot', snapshot);
    this.#made = { id, at: this.#now(), event };
    return [event];
  }
}
