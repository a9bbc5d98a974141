/** The thread that serves a run's metrics and live page, as the thread of the run sees it. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { FeedEvent } from '../live/feed.ts';
import type { LiveRun } from '../live/live-run.ts';
import type { RunApi, ServerApi } from '../live/serving.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ServingAddress, ServingPlace } from '../metrics/server.ts';
import { type Actor, type ActorDiedError, startActor } from '../pool/actor.ts';
import { answerCalls, transfer } from '../pool/calls.ts';
import { noProgress, Watch } from '../pool/watch.ts';

const ENTRY = new URL('../../workers/server-worker.js', import.meta.url);
/** Clients that exhaust it end this thread, not the run. */
const LIMITS = { maxOldGenerationSizeMb: 128 };
/** Before one takes the place of another: what ends one again and again costs little. */
const REPLACE_SECONDS = 1;
/** What is said at the end has gone out by then, or nobody reads it. */
const CLOSE_LIMIT_SECONDS = 5;

export interface ServerThreadParts {
  place: ServingPlace;
  metrics: Metrics;
  live: LiveRun;
  /** A thread that takes no event for so long is replaced; 0: never. */
  limitSeconds: number;
  onWarning?(message: string): void;
}

export class ServerThread {
  readonly #parts: ServerThreadParts;
  readonly #watch: Watch;
  readonly #stopListening: () => void;
  readonly #closing = new AbortController();
  #actor: Actor<ServerApi>;
  readonly address: ServingAddress;
  /** Events of this moment, which go together. */
  #events: FeedEvent[] = [];
  /** Calls with events that the thread has not taken. */
  #waiting = 0;
  #restarts = 0;

  private constructor(parts: ServerThreadParts, actor: Actor<ServerApi>, address: ServingAddress) {
    const { live, limitSeconds } = parts;
    this.#parts = parts;
    this.#actor = actor;
    this.address = address;
    this.#watch = new Watch(limitSeconds, () => this.#actor.terminate(noProgress(limitSeconds)));
    this.#stopListening = live.listen((event) => {
      if (this.#events.push(event) === 1) queueMicrotask(() => this.#publish());
    });
    this.#replaceOnceDead(actor);
  }

  /** Throws InputError where the port is taken or not allowed, or the host is not an address of this machine. */
  static async start(parts: ServerThreadParts): Promise<ServerThread> {
    const { actor, address } = await open(parts, parts.place);
    return new ServerThread(parts, actor, address);
  }

  /** Threads that died and were replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** In which the next scrape comes, of one who reads the metrics at regular intervals; 0 where there is none. */
  async secondsToScrape(): Promise<number> {
    return await this.#actor.calls.secondsToScrape().catch(() => 0);
  }

  /** Waits for that scrape, or until `signal` is aborted: the values that are served from now on will have been read. */
  async untilScraped(signal?: AbortSignal): Promise<void> {
    await untilAborted(signal, this.#actor.calls.untilScraped());
  }

  /** Serves for so many seconds more, or until `signal` is aborted, and closes. Keeps the process alive. */
  async closeAfter(seconds: number, signal?: AbortSignal): Promise<void> {
    if (seconds > 0) await delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
    await this.close();
  }

  /** Ends all connections, idle or not, and frees the port. May be called again. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#stopListening();
    this.#watch.close();
    const late = AbortSignal.timeout(CLOSE_LIMIT_SECONDS * 1000);
    await untilAborted(late, this.#actor.calls.close());
    await this.#actor.terminate();
  }

  /** Lost where the thread has died: those who listen come back to a new one, and are sent what the run has been. */
  #publish(): void {
    const events = this.#events;
    this.#events = [];
    if (this.#waiting++ === 0) this.#watch.begin();
    this.#actor.calls
      .publish(events)
      .catch(() => undefined)
      .finally(() => {
        if (--this.#waiting > 0) this.#watch.begin();
        else this.#watch.end();
      });
  }

  #replaceOnceDead(actor: Actor<ServerApi>): void {
    void actor.exited.then((death) => this.#replace(death));
  }

  async #replace(death: ActorDiedError): Promise<void> {
    const { onWarning, place } = this.#parts;
    const { signal } = this.#closing;
    const isClosing = () => signal.aborted;
    await delay(REPLACE_SECONDS * 1000, undefined, { signal, ref: false }).catch(() => undefined);
    if (isClosing()) return;
    try {
      const { actor } = await open(this.#parts, { ...place, port: this.address.port });
      if (isClosing()) return await actor.terminate();
      this.#actor = actor;
      this.#restarts++;
      this.#replaceOnceDead(actor);
      onWarning?.(`${death.sentence} Another one serves the metrics and the live page.`);
    } catch (error) {
      const reason = messageOf(error);
      onWarning?.(
        `${death.sentence} The metrics and the live page are not served any more: ${reason}`,
      );
    }
  }
}

/** Ends, as its thread does, where that cannot be: within the limits of the system's resolver for the name of the host. */
async function open(
  { metrics, live }: ServerThreadParts,
  place: ServingPlace,
): Promise<{ actor: Actor<ServerApi>; address: ServingAddress }> {
  const actor = startActor<ServerApi>('server', ENTRY, { limits: LIMITS });
  const { port1: here, port2: there } = new MessageChannel();
  const run: RunApi = {
    render: () => metrics.render(),
    health: () => metrics.health(),
    snapshot: () => live.snapshot(),
  };
  answerCalls(run, here);
  here.unref();
  try {
    const port = transfer(there, [there]);
    return { actor, address: await actor.calls.open(place, metrics.contentType, port) };
  } catch (error) {
    await actor.terminate();
    throw error;
  }
}

/** Waits for `work`, whatever becomes of it, until `signal` is aborted. */
async function untilAborted(signal: AbortSignal | undefined, work: Promise<unknown>) {
  const done = work.catch(() => undefined);
  if (!signal) return await done;
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).catch(() => undefined);
  if (!signal.aborted) await Promise.race([done, aborted]);
  over.abort();
}
