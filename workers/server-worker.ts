/**
 * Entry of the thread that serves the metrics and the live page. What clients ask for costs this thread, which gives way to
 * those that train; of the run's own thread they get no more than a few answers a second, however many they are.
 */
import { getPriority, setPriority } from 'node:os';
import { platform } from 'node:process';
import type { MessagePort } from 'node:worker_threads';
import type { FeedEvent, LiveFeed } from '../src/live/feed.ts';
import { livePages } from '../src/live/pages.ts';
import type { RunApi, ServerApi } from '../src/live/serving.ts';
import { reuse } from '../src/metrics/reuse.ts';
import {
  type MetricsServer,
  type ServingPlace,
  startMetricsServer,
} from '../src/metrics/server.ts';
import { exposeActor } from '../src/pool/actor-thread.ts';
import { callOver, callsByName } from '../src/pool/calls.ts';

/** Where every core is busy, Linux gives a thread of this niceness a twentieth of one of them at most. */
const NICENESS = 13;
/** How old the health may be that is told. */
const HEALTH_MILLISECONDS = 50;

class RunServer implements ServerApi {
  readonly #listeners = new Set<(event: FeedEvent) => void>();
  #server: MetricsServer | undefined;

  async open(place: ServingPlace, contentType: string, port: MessagePort) {
    const run = callsByName<RunApi>(callOver(port));
    const health = reuse(run.health, HEALTH_MILLISECONDS);
    const feed: LiveFeed = {
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      snapshot: run.snapshot,
    };
    const source = { contentType, render: run.render, health: health.read };
    this.#server = await startMetricsServer({ ...place, source, pages: livePages(feed) });
    const { url, movedFrom } = this.#server;
    return { url, port: this.#server.port, movedFrom };
  }

  publish(events: readonly FeedEvent[]): void {
    for (const event of events) {
      for (const listener of this.#listeners) listener(event);
    }
  }

  secondsToScrape(): number {
    return this.#server?.secondsToScrape ?? 0;
  }

  async untilScraped(): Promise<void> {
    await this.#server?.untilScraped();
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}

/** A process that is nicer already stays so: to take that back is not everybody's right. */
function giveWay(): void {
  try {
    if (getPriority() < NICENESS) setPriority(NICENESS);
  } catch {
    // A system that refuses it has it served at the priority of the run.
  }
}

// Elsewhere it would be the priority of the whole process.
if (platform === 'linux') giveWay();
exposeActor<ServerApi>(new RunServer());
