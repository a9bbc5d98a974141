/** A server of the page and of events that the test sends, numbered as the real one does, and dropped when it says so. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { LiveEvents, Snapshot } from '../../../src/live/protocol.ts';
import { RunView } from '../../../src/live/view/run-view.ts';

const PAGE = new URL('../../../src/live/page/', import.meta.url);
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:";
const FILES: Readonly<Record<string, [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
};

export class EventServer {
  /** Last-Event-ID of each request for events. */
  readonly lastIds: (string | undefined)[] = [];
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #sent: string[] = [];
  readonly #view: RunView;
  #listeners: ServerResponse[] = [];
  /** Answers to requests for events are refused. */
  isAway = false;

  private constructor(snapshot: Snapshot) {
    this.#view = new RunView(snapshot);
  }

  static async start(t: ExecutionContext, snapshot: Snapshot): Promise<EventServer> {
    const server = new EventServer(snapshot);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    t.teardown(() => server.close());
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  send<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    this.#view.apply(name, data);
    this.#sent.push(textOf(this.#sent.length + 1, name, data));
    for (const listener of this.#listeners) listener.write(this.#sent.at(-1));
  }

  /** Cuts every stream of events. */
  drop(): void {
    for (const listener of this.#listeners.splice(0)) listener.destroy();
  }

  /** Ends all connections, as a process that ends. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const [file, type] = FILES[path] ?? [];
    if (path === '/events') this.#stream(request, response);
    else if (file && type) {
      response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': POLICY });
      response.end(readFileSync(new URL(file, PAGE)));
    } else response.writeHead(404).end();
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    const id = request.headers['last-event-id'] as string | undefined;
    this.lastIds.push(id);
    if (this.isAway) {
      response.destroy();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('retry: 50\n\n');
    if (id === undefined) response.write(textOf(this.#sent.length, 'snapshot', this.#view.now));
    else for (const event of this.#sent.slice(Number(id))) response.write(event);
    this.#listeners.push(response);
  }
}

function textOf(id: number, name: string, data: unknown): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
