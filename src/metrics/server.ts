/** Serves the metrics of one run over HTTP, so that no client can take much memory of it or outlive it. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { hostCheck } from './allowed-hosts.ts';
import { type Answer, refuse, send } from './answers.ts';
import { type Connections, limitConnections } from './connections.ts';
import { DEFAULT_PORT, listen } from './listen.ts';
import { reuse } from './reuse.ts';
import { Scrapes } from './scrapes.ts';

/** What is served; `Metrics` is one. */
export interface MetricsSource {
  readonly contentType: string;
  render(): Promise<string>;
  /** Shown by /healthz as it is, beside `status`. */
  health(): object | Promise<object>;
}

/** An answer that goes on until its connection ends. */
export interface StreamedAnswer {
  /** Sends the headers and all that follows. */
  stream(response: ServerResponse): void;
}

/** Of a GET; of a HEAD too, unless it streams. */
export type Route = (
  request: IncomingMessage,
) => Answer | StreamedAnswer | Promise<Answer | StreamedAnswer>;

/** What is served beside the metrics. */
export interface Pages {
  /** By path. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Ends all that streams. */
  close(): void;
}

/** Where to serve, and to whom. */
export interface ServingPlace {
  /** Address to listen on. */
  host: string;
  /** 0: any free one; undefined: 9464 or the next free one. */
  port?: number;
  /** Values of the header Host that are answered beside those of this machine. */
  allowedHosts?: readonly string[];
}

export interface MetricsServerOptions extends ServingPlace {
  source: MetricsSource;
  pages?: Pages;
}

/** Where it is served. */
export interface ServingAddress {
  /** Without a path: `http://127.0.0.1:9464`. */
  readonly url: string;
  readonly port: number;
  /** The default port, where it was in use and another one was taken. */
  readonly movedFrom?: number;
}

export interface MetricsServer extends ServingAddress {
  /** Ends all connections, idle or not, and frees the port. May be called again. */
  close(): Promise<void>;
  /** In which the next scrape comes, of one who reads the metrics at regular intervals; 0 where there is none. */
  readonly secondsToScrape: number;
  /** Waits for that scrape: the values that are served from now on will have been read. Keeps the thread alive. */
  untilScraped(): Promise<void>;
}

/** How long a rendered text is served: two hundred scrapes a second render as often as two. */
const RENDER_MILLISECONDS = 500;

const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
/** Each may hold a header's bytes and the answer's: 20 MiB in all. */
const MAX_CONNECTIONS = 512;
/** A connection on which nothing moves, such as a client that does not read its answer. */
const IDLE_MILLISECONDS = 10_000;

/**
 * Starts serving /metrics, /healthz and the pages. Neither the server nor its connections keep the process alive. Throws
 * InputError where the port is taken or not allowed, or the host is not an address of this machine.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(LIMITS);
  const connections = limitConnections(server, MAX_CONNECTIONS);
  server.setTimeout(IDLE_MILLISECONDS);
  const port = await listen(server, options.host, options.port);
  const scrapes = new Scrapes();
  const { source } = options;
  const text = reuse(async () => Buffer.from(await source.render()), RENDER_MILLISECONDS);
  const metrics: Route = async () => ({ type: source.contentType, body: await text.read() });
  const answer = answerer(options, metrics, server.address() as AddressInfo, connections);
  server.on('request', (request, response) => {
    if (pathOf(request) === METRICS_PATH) {
      const read = scrapes.begin();
      response.once('finish', () => response.statusCode === 200 && read());
    }
    void answer(request, response);
  });
  server.unref();
  // A connection that could not be accepted (out of file descriptors) must not end the run.
  server.on('error', () => {});
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const close = closer(server, options.pages);
  return {
    url: `http://${host}:${port}`,
    port,
    movedFrom: options.port === undefined && port !== DEFAULT_PORT ? DEFAULT_PORT : undefined,
    close,
    get secondsToScrape() {
      return scrapes.secondsToNext;
    },
    async untilScraped() {
      text.forget();
      await scrapes.next();
    },
  };
}

function closer(server: Server, pages: Pages | undefined): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    // Nothing is waited for: each connection is ended, whatever its client does.
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      pages?.close();
      server.closeAllConnections();
    });
    return closed;
  };
}

const WRONG_HOST =
  'This name of the host is not answered. Give it to the run with --metrics-allowed-hosts.';

const METRICS_PATH = '/metrics';

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0];
}

function answerer(
  { source, host, allowedHosts: allowed = [], pages }: MetricsServerOptions,
  metrics: Route,
  { address }: AddressInfo,
  connections: Connections,
): RequestListener {
  const routes = new Map<string, Route>([
    ...(pages?.routes ?? []),
    [METRICS_PATH, metrics],
    ['/healthz', async () => ({ type: 'application/json', body: await healthText(source) })],
  ]);
  const answersTo = hostCheck({ host, address, machine: hostname(), allowed });
  return async (request, response) => {
    if (request.socket.destroyed) return;
    if (!answersTo(request.headers.host)) return refuse(request, response, 403, WRONG_HOST);
    const route = routes.get(pathOf(request));
    if (!route) return refuse(request, response, 404, notFound(routes));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(request, response, 405, 'Only GET and HEAD are answered.');
    }
    try {
      const answer = await route(request);
      if (!('stream' in answer)) return send(request, response, answer);
      connections.exempt(response);
      answer.stream(response);
    } catch {
      refuse(request, response, 500, 'The metrics could not be rendered.');
    }
  };
}

function notFound(routes: ReadonlyMap<string, Route>): string {
  return `Not found. There are ${[...routes.keys()].join(', ')}.`;
}

async function healthText(source: MetricsSource): Promise<string> {
  return `${JSON.stringify({ status: 'ok', ...(await source.health()) })}\n`;
}
