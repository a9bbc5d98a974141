/** Clients that ask for what they do not get, or do not wait for what they get; each on a connection of its own. */
import { HALF_SCRAPE, open } from './connection.ts';
import { atPace } from './pace.ts';

/** Eight times as much as the server reads of a header. */
const HUGE_HEADERS = `${HALF_SCRAPE}${`X-Huge: ${'x'.repeat(1014)}\r\n`.repeat(64)}\r\n`;

export interface HostileCounts {
  /** Requests with 64 KiB of headers: refused with 431, and those whose connection was ended without an answer. */
  refused: number;
  cutOff: number;
  /** Requests with such headers that were answered otherwise. */
  accepted: number;
  /** Scrapes whose client left once the first bytes of the answer came. */
  aborted: number;
}

/** So many of each kind a second. */
export function hostileRequests(port: number, perSecond: number) {
  const counts: HostileCounts = { refused: 0, cutOff: 0, accepted: 0, aborted: 0 };
  const stops = [
    atPace(perSecond, () => sendHugeHeaders(port, counts)),
    atPace(perSecond, () => abortScrape(port, counts)),
  ];
  return {
    stop(): HostileCounts {
      for (const stop of stops) stop();
      return counts;
    },
  };
}

function sendHugeHeaders(port: number, counts: HostileCounts): void {
  const socket = open(port);
  let answer = '';
  socket.setEncoding('latin1').on('data', (data: string) => {
    answer = (answer + data).slice(0, 64);
  });
  socket.on('close', () => {
    if (answer === '') counts.cutOff++;
    else if (answer.startsWith('HTTP/1.1 431 ')) counts.refused++;
    else counts.accepted++;
  });
  socket.write(HUGE_HEADERS);
}

function abortScrape(port: number, counts: HostileCounts): void {
  const socket = open(port);
  socket.once('data', () => {
    counts.aborted++;
    socket.destroy();
  });
  socket.write(`${HALF_SCRAPE}\r\n`);
}
