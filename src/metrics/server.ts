/** Serves the metrics of one run over HTTP, so that no client can slow the run or outlive it. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { hostCheck } from './allowed-hosts.ts';
import { limitConnections } from './connections.ts';
import { DEFAULT_PORT, listen } from './listen.ts';
import { reuse } from './reuse.ts';

/** What is served; `Metrics` is one. */
export interface MetricsSource {
  readonly contentType: string;
  render(): Promise<string>;
  /** Shown by /healthz as it is, beside `status`. */
  health(): object;
}

export interface MetricsServerOptions {
  /** Address to listen on. */
  host: string;
  /** 0: any free one; undefined: 9464 or the next free one. */
  port?: number;
  /** Values of the header Host that are answered beside those of this machine. */
  allowedHosts?: readonly string[];
  source: MetricsSource;
}

export interface MetricsServer {
  /** Without a path: `http://127.0.0.1:9464`. */
  readonly url: string;
  readonly port: number;
  /** The default port, where it was in use and another one was taken. */
  readonly movedFrom?: number;
  /** Ends all connections, idle or not, and frees the port. May be called again. */
  close(): Promise<void>;
  /** Serves for so many seconds more, or until `signal` is aborted, and closes. Keeps the process alive. */
  closeAfter(seconds: number, signal?: AbortSignal): Promise<void>;
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
/** Each may hold a header's bytes and the answer's: 10 MiB in all. */
const MAX_CONNECTIONS = 256;
/** A connection on which nothing moves, such as a client that does not read its answer. */
const IDLE_MILLISECONDS = 10_000;

/**
 * Starts serving /metrics, /healthz and / (a list of them). Neither the server nor its
 * connections keep the process alive. Throws InputError where the port is taken or not allowed, or the host is not an address of this machine.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(LIMITS);
  limitConnections(server, MAX_CONNECTIONS);
  server.setTimeout(IDLE_MILLISECONDS);
  const port = await listen(server, options.host, options.port);
  server.on('request', answerer(options, server.address() as AddressInfo));
  server.unref();
  // A connection that could not be accepted (out of file descriptors) must not end the run.
  server.on('error', () => {});
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const close = closer(server);
  return {
    url: `http://${host}:${port}`,
    port,
    movedFrom: options.port === undefined && port !== DEFAULT_PORT ? DEFAULT_PORT : undefined,
    close,
    async closeAfter(seconds, signal) {
      if (seconds > 0) await untilAborted(delay(seconds * 1000, undefined, { signal }), signal);
      await close();
    },
  };
}

function closer(server: Server): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
}

async function untilAborted(wait: Promise<void>, signal?: AbortSignal): Promise<void> {
  try {
    await wait;
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

interface Answer {
  type: string;
  body: string | Buffer;
}

const PLAIN = 'text/plain; charset=utf-8';
const WRONG_HOST =
  'This name of the host is not answered. Give it to the run with --metrics-allowed-hosts.';
const INDEX = `Threadloom is training.
/metrics  metrics for Prometheus
/healthz  last step and its age, as JSON
`;

function answerer(
  { source, host, allowedHosts: allowed = [] }: MetricsServerOptions,
  { address }: AddressInfo,
): RequestListener {
  const render = reuse(async () => Buffer.from(await source.render()), RENDER_MILLISECONDS);
  const pages = new Map<string, () => Answer | Promise<Answer>>([
    ['/', () => ({ type: PLAIN, body: INDEX })],
    ['/metrics', async () => ({ type: source.contentType, body: await render() })],
    ['/healthz', () => ({ type: 'application/json', body: healthText(source) })],
  ]);
  const answersTo = hostCheck({ host, address, machine: hostname(), allowed });
  return async (request, response) => {
    if (request.socket.destroyed) return;
    if (!answersTo(request.headers.host)) return refuse(request, response, 403, WRONG_HOST);
    const page = pages.get(request.url?.split('?', 1)[0] ?? '');
    if (!page) return refuse(request, response, 404, 'Not found. There are /metrics and /healthz.');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(request, response, 405, 'Only GET and HEAD are answered.');
    }
    try {
      if (hasBody(request)) response.setHeader('Connection', 'close');
      send(request, response, 200, await page());
    } catch {
      refuse(request, response, 500, 'The metrics could not be rendered.');
    }
  };
}

/** Nobody waits for a body: the connection ends with the answer. */
function hasBody({ headers }: IncomingMessage): boolean {
  return 'content-length' in headers || 'transfer-encoding' in headers;
}

function healthText(source: MetricsSource): string {
  return `${JSON.stringify({ status: 'ok', ...source.health() })}\n`;
}

/** An error ends the connection, so that no body of its request is waited for. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): void {
  response.setHeader('Connection', 'close');
  send(request, response, status, { type: PLAIN, body: `${message}\n` });
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { type, body }: Answer,
): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
