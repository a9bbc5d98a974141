/** Clients that scrape: so many requests a second, whatever becomes of those before. */
import type { Socket } from 'node:net';
import { HALF_SCRAPE, open } from './connection.ts';
import { atPace } from './pace.ts';

export interface ScrapeCounts {
  /** Scrapes that got a whole answer. */
  answered: number;
  failed: number;
}

/** A connection that scrapes, one scrape after another. */
class Scraper {
  readonly #socket: Socket;
  #left = Number.POSITIVE_INFINITY;
  #done: (whole: boolean) => void = () => {};

  constructor(port: number) {
    this.#socket = open(port)
      .on('data', (data) => this.#take(data))
      .on('close', () => this.#done(false));
  }

  /** True once the whole answer is there, false where the connection ends before. */
  scrape(): Promise<boolean> {
    this.#left = Number.POSITIVE_INFINITY;
    this.#socket.write(`${HALF_SCRAPE}\r\n`);
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

/** Each on a connection that waits for no answer, a new one where there is no such or none is kept. */
export function scrapes(port: number, perSecond: number, keepsConnections: boolean) {
  const counts: ScrapeCounts = { answered: 0, failed: 0 };
  const resting: Scraper[] = [];
  const stop = atPace(perSecond, () => {
    const scraper = resting.pop() ?? new Scraper(port);
    void scraper.scrape().then((whole) => {
      if (whole) counts.answered++;
      else counts.failed++;
      if (whole && keepsConnections) resting.push(scraper);
      else scraper.close();
    });
  });
  return {
    stop(): ScrapeCounts {
      stop();
      for (const scraper of resting) scraper.close();
      return counts;
    },
  };
}
