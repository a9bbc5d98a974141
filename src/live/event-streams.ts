/** Sends the events of a run to its listeners, so that none of them can slow the run or fill its memory. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, COMMON_HEADERS, PLAIN } from '../metrics/answers.ts';
import type { StreamedAnswer } from '../metrics/server.ts';
import type { LiveRun } from './live-run.ts';
import type { LiveEvent } from './run-events.ts';

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
  readonly #run: LiveRun;
  readonly #limits: StreamLimits;
  readonly #streams = new Set<EventStream>();
  #heart: NodeJS.Timeout | undefined;

  constructor(run: LiveRun, limits: StreamLimits = LIMITS) {
    this.#run = run;
    this.#limits = limits;
  }

  answer(request: IncomingMessage): Answer | StreamedAnswer {
    if (this.#streams.size >= this.#limits.listeners) return tooMany(this.#limits.listeners);
    if (request.method === 'HEAD') return { type: TYPE, body: '' };
    return { stream: (response) => this.#open(response, lastIdOf(request)) };
  }

  /** Ends all. What the system has not taken by then is lost where the server cuts the connections. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  #open(response: ServerResponse, lastId: string | undefined): void {
    const stream = new EventStream(response, this.#limits.waitingBytes);
    this.#streams.add(stream);
    stream.begin(this.#run.unseen(lastId));
    const stop = this.#run.listen((event) => stream.send(event));
    this.#heart ??= setInterval(() => this.#beat(), this.#limits.heartbeatMilliseconds).unref();
    response.once('close', () => {
      stop();
      this.#streams.delete(stream);
      if (this.#streams.size > 0) return;
      clearInterval(this.#heart);
      this.#heart = undefined;
    });
  }

  #beat(): void {
    for (const stream of this.#streams) stream.beat();
  }
}

class EventStream {
  readonly #response: ServerResponse;
  #allowedBytes: number;
  /** Bytes that waited before the last heartbeat. */
  #waitingBefore = 0;

  constructor(response: ServerResponse, waitingBytes: number) {
    this.#response = response;
    this.#allowedBytes = waitingBytes;
  }

  begin(events: readonly LiveEvent[]): void {
    this.#response.writeHead(200, {
      'Content-Type': TYPE,
      Connection: 'close',
      'X-Accel-Buffering': 'no',
      ...COMMON_HEADERS,
    });
    this.#response.write(`retry: ${RETRY_MILLISECONDS}\n\n`);
    for (const { bytes } of events) {
      this.#allowedBytes += bytes.length;
      this.#response.write(bytes);
    }
  }

  send({ bytes }: LiveEvent): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(bytes);
    if (this.#response.writableLength > this.#allowedBytes) this.#response.destroy();
  }

  /** A sign of life; one for whom no less waits than at the last one is dropped: it reads too slowly, or not at all. */
  beat(): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
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
