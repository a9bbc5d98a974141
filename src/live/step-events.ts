/**
 * Tells of steps together, a few times a second: an event a step would be more than a page can draw. It has no timer, which
 * would wake its thread for nothing else: steps that none follows are told by who calls `publish` now and then.
 */
import type { FeedEvents } from './feed.ts';
import { rounded } from './history.ts';
import { PointSeries } from './points.ts';
import type { Point, RunState } from './protocol.ts';

/** Between two events of steps, at least. */
const PUBLISH_MILLISECONDS = 250;
/** Most points of one event. */
const MAX_EVENT_POINTS = 16;

export class StepEvents {
  readonly #events: FeedEvents;
  #state: RunState = { kind: 'starting', step: 0, secondsLeft: null };
  /** The last one that an event or a snapshot has told. */
  #told: RunState = this.#state;
  /** Points that no event has told yet. */
  #pending = new PointSeries(MAX_EVENT_POINTS);
  /** Unix time in milliseconds. */
  #lastPublished = 0;
  #publishing: NodeJS.Immediate | undefined;

  constructor(events: FeedEvents) {
    this.#events = events;
  }

  get state(): RunState {
    return this.#state;
  }

  /** The run begins in a state that a snapshot tells. */
  begin(state: RunState): void {
    this.#state = state;
    this.#told = state;
  }

  /** A step has ended, and the run is in a new state. Steps of one moment are told together; `now`: Unix time in milliseconds. */
  add(point: Point, state: RunState, now: number): void {
    this.#pending.add(point);
    this.#state = state;
    if (now - this.#lastPublished < PUBLISH_MILLISECONDS) return;
    this.#lastPublished = now;
    this.#publishing ??= setImmediate(() => this.publish()).unref();
  }

  /** The last state, told at once. */
  end(state: RunState): void {
    this.#state = state;
    this.publish();
  }

  /** Tells what is pending, with the state after it. */
  publish(): void {
    clearImmediate(this.#publishing);
    this.#publishing = undefined;
    const { points } = this.#pending;
    if (points.length > 0) {
      this.#pending = new PointSeries(MAX_EVENT_POINTS);
      this.#events.publish('points', points.map(rounded));
    }
    if (this.#told === this.#state) return;
    this.#told = this.#state;
    this.#events.publish('state', this.#state);
  }
}
