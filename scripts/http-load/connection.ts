/** Connections to the server under load, on this machine alone. */
import { connect, type Socket } from 'node:net';

/** A request up to its last line, which is still to come. */
export const HALF_SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n';

/** That the server ends a connection, resets it or refuses it, is told by `close` alone. */
export function open(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => {});
}
