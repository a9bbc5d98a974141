/**
 * The clients of http-load, in a process of their own, to 127.0.0.1 alone. Takes the port; `on` and `off` on standard input
 * begin and end the load, which is answered with a line of what happened meanwhile. Ends with standard input.
 */
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';

// Scrapers are elsewhere: what they do themselves is not to be taken for what they cost.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const HOST = '127.0.0.1';
/** Ten scrapers that ask twenty times a second each. */
const TICK_MILLISECONDS = 50;
const port = Number(process.argv[2]);
const scrapesPerSecond = Number(process.argv[3]);
const slowConnections = Number(process.argv[4]);
/** Else each scrape has a connection of its own. */
const keepsConnections = process.argv[5] === 'kept';

/** What happened since the load was switched on. */
export interface LoadReport {
  seconds: number;
  /** Scrapes that got a whole answer. */
  answered: number;
  failed: number;
  /** Slow connections at the end, and those that the server had ended before. */
  slow: number;
  ended: number;
  /** Of the clients' own process, on the same cores as the training. */
  processorSeconds: number;
}

/** A connection that scrapes, one scrape after another. */
class Scraper {
  readonly #socket: Socket;
  #left = Number.POSITIVE_INFINITY;
  #done: (whole: boolean) => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, HOST)
      .on('error', () => {})
      .on('data', (data) => this.#take(data))
      .on('close', () => this.#done(false));
  }

  /** True once the whole answer is there, false where the connection ends before. */
  scrape(): Promise<boolean> {
    this.#left = Number.POSITIVE_INFINITY;
    this.#socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return new Promise((resolve) => {
      this.#done = resolve;
      if (this.#socket.destroyed) resolve(false);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    if (this.#left === Number.POSITIVE_INFINITY) {
      const head = data.toString('latin1', 0, data.indexOf('\r\n\r\n') + 4);
      const length = /^HTTP\/1\.1 200 OK\r\n.*Content-Length: (\d+)\r\n/s.exec(head)?.[1];
      if (length === undefined) this.close();
      this.#left = head.length + Number(length);
    }
    this.#left -= data.length;
    if (this.#left === 0) this.#done(true);
  }
}

class Load {
  #report = { answered: 0, failed: 0, ended: 0 };
  readonly #began = performance.now();
  readonly #usage = process.cpuUsage();
  readonly #slow = new Set<Socket>();
  readonly #resting: Scraper[] = [];
  readonly #timers: NodeJS.Timeout[];
  #asked = 0;

  constructor() {
    for (let i = 0; i < slowConnections; i++) this.#openSlow();
    this.#timers = [
      setInterval(() => this.#scrape(), TICK_MILLISECONDS),
      setInterval(() => this.#drip(), 1000),
    ];
  }

  stop(): LoadReport {
    for (const timer of this.#timers) clearInterval(timer);
    const seconds = this.#seconds();
    const { user, system } = process.cpuUsage(this.#usage);
    const slow = this.#slow.size;
    for (const socket of this.#slow) socket.removeAllListeners('close').destroy();
    for (const scraper of this.#resting) scraper.close();
    return { seconds, ...this.#report, slow, processorSeconds: (user + system) / 1e6 };
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** As many scrapes as are due, each on a connection that waits for none; a new one where there is no such. */
  #scrape(): void {
    for (; this.#asked < this.#seconds() * scrapesPerSecond; this.#asked++) {
      const scraper = this.#resting.pop() ?? new Scraper(port);
      void scraper.scrape().then((whole) => {
        if (whole) this.#report.answered++;
        else this.#report.failed++;
        if (whole && keepsConnections) this.#resting.push(scraper);
        else scraper.close();
      });
    }
  }

  #openSlow(): void {
    const socket = connect(port, HOST).on('error', () => {});
    this.#slow.add(socket);
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    socket.on('close', () => {
      this.#slow.delete(socket);
      this.#report.ended++;
      this.#openSlow();
    });
  }

  /** One byte more of every half request. */
  #drip(): void {
    for (const socket of this.#slow) socket.write('x');
  }
}

let load: Load | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'on') load = new Load();
  else process.stdout.write(`${JSON.stringify(load?.stop())}\n`);
}
