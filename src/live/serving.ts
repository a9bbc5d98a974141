/** What the thread of a run and the one that serves it ask of each other. */
import type { MessagePort } from 'node:worker_threads';
import type { ServingAddress, ServingPlace } from '../metrics/server.ts';
import type { FeedEvent, FeedSnapshot } from './feed.ts';

/** Of the thread that serves. */
export interface ServerApi {
  /**
   * Begins to serve: the metrics, of this content type, and the live page of the run that answers as `RunApi` over `run`.
   * Rejects as `startMetricsServer`. To be called once, before all else.
   */
  open(place: ServingPlace, contentType: string, run: MessagePort): Promise<ServingAddress>;
  publish(events: readonly FeedEvent[]): void;
  /** As `MetricsServer` has these. */
  secondsToScrape(): number;
  untilScraped(): Promise<void>;
  close(): Promise<void>;
}

/** Of the thread that has the run. */
export interface RunApi {
  render(): Promise<string>;
  health(): object;
  snapshot(): FeedSnapshot;
}
