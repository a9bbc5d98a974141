/** Sends the events of a run to its listeners, so that none of them can slow the run or fill its memory. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, COMMON_HEADERS, PLAIN } from '../metrics/answers.ts';
import type { StreamedAnswer } from '../metrics/server.ts';
import type { LiveFeed } from './feed.ts';
import { RunEvents, type SentEvent } from './run-events.ts';

export interface StreamLimits {
  listeners: number;
  /** What may wait for one listener, beside what it is first sent; it is dropped beyond, and comes back. */
  waitingBytes: number;
  heartbeatMilliseconds: number;
}

const LIMITS: StreamLimits = {
  listeners: 32,
  waitingBytes: 2 ** 20,
  heartbeatMilliseconds: 15_000,
};
/** After which a browser comes back. */
const RETRY_MILLISECONDS = 2000;
const TYPE = 'text/event-stream';
/** A comment: nothing but a sign of life. */
const HEARTBEAT = Buffer.from(': \n\n');

export class EventStreams {
  readonly #events: RunEvents;
  readonly #limits: StreamLimits;
  readonly #streams = new Set<EventStream>();
  #heart: NodeJS.Timeout | undefined;

  constructor(feed: LiveFeed, limits: StreamLimits = LIMITS) {
    this.#events = new RunEvents(feed);
    this.#limits = limits;
  }

  answer(request: IncomingMessage): Answer | StreamedAnswer {
    if (this.#streams.size >= this.#limits.listeners) return tooMany(this.#limits.listeners);
    if (request.method === 'HEAD') return { type: TYPE, body: '' };
    return { stream: (response) => void this.#open(response, lastIdOf(request)) };
  }

  /** Ends all. What the system has not taken by then is lost where the server cuts the connections. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  async #open(response: ServerResponse, lastId: string | undefined): Promise<void> {
    const stream = new EventStream(response, this.#limits.waitingBytes);
    this.#streams.add(stream);
    const stop = this.#events.listen((event) => stream.send(event));
    this.#heart ??= setInterval(() => this.#beat(), this.#limits.heartbeatMilliseconds).unref();
    response.once('close', () => {
      stop();
      this.#streams.delete(stream);
      if (this.#streams.size > 0) return;
      clearInterval(this.#heart);
      this.#heart = undefined;
    });
    try {
      // The server ends an idle connection, with what this waits for.
      stream.begin(await this.#events.unseen(lastId));
    } catch {
      response.destroy();
    }
  }

  #beat(): void {
    for (const stream of this.#streams) stream.beat();
  }
}

class EventStream {
  readonly #response: ServerResponse;
  #allowedBytes: number;
  /** Of the last event that was sent; undefined before the stream has begun. */
  #last: number | undefined;
  /** Bytes that waited before the last heartbeat. */
  #waitingBefore = 0;

  constructor(response: ServerResponse, waitingBytes: number) {
    this.#response = response;
    this.#allowedBytes = waitingBytes;
  }

  /** With all that was not seen so far. */
  begin(events: readonly SentEvent[]): void {
    if (this.#isOver) return;
    this.#response.writeHead(200, {
      'Content-Type': TYPE,
      Connection: 'close',
      'X-Accel-Buffering': 'no',
      ...COMMON_HEADERS,
    });
    this.#response.write(`retry: ${RETRY_MILLISECONDS}\n\n`);
    this.#last = 0;
    for (const event of events) {
      this.#allowedBytes += event.bytes.length;
      this.#write(event);
    }
  }

  /** An event before the beginning, or that a snapshot holds, is left out. */
  send(event: SentEvent): void {
    if (this.#isOver || this.#last === undefined || event.number <= this.#last) return;
    this.#write(event);
    if (this.#response.writableLength > this.#allowedBytes) this.#response.destroy();
  }

  #write({ number, bytes }: SentEvent): void {
    this.#last = number;
    this.#response.write(bytes);
  }

  get #isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  /** A sign of life; one for whom no less waits than at the last one is dropped: it reads too slowly, or not at all. */
  beat(): void {
    if (this.#isOver || this.#last === undefined) return;
    const waiting = this.#response.writableLength;
    if (waiting > 0 && waiting >= this.#waitingBefore && this.#waitingBefore > 0) {
      this.#response.destroy();
      return;
    }
    this.#waitingBefore = waiting;
    this.#response.write(HEARTBEAT);
  }

  end(): void {
    this.#response.end();
  }
}

/** Of the header, as browsers send it, or of the address: a page that was loaded anew has no other way. */
function lastIdOf({ headers, url = '' }: IncomingMessage): string | undefined {
  const header = headers['last-event-id'];
  if (typeof header === 'string') return header;
  return new URLSearchParams(url.split('?', 2)[1]).get('lastEventId') ?? undefined;
}

function tooMany(listeners: number): Answer {
  return {
    status: 503,
    type: PLAIN,
    body: `Expected at most ${listeners} listeners. Close another page of this run.\n`,
    headers: { 'Retry-After': '5', Connection: 'close' },
  };
}
