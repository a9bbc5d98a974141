/** Clients that hold their connections: each sends a header a byte a second, and comes back when it was ended. */
import type { Socket } from 'node:net';
import { HALF_SCRAPE, open } from './connection.ts';

export interface SlowCounts {
  /** At the end. */
  open: number;
  endedByServer: number;
}

export function slowConnections(port: number, count: number) {
  const sockets = new Set<Socket>();
  let endedByServer = 0;
  const openOne = () => {
    const socket = open(port);
    sockets.add(socket);
    socket.write(`${HALF_SCRAPE}X-Slow: `);
    socket.on('close', () => {
      sockets.delete(socket);
      endedByServer++;
      openOne();
    });
  };
  for (let i = 0; i < count; i++) openOne();
  const dripping = setInterval(() => {
    for (const socket of sockets) socket.write('x');
  }, 1000);
  return {
    stop(): SlowCounts {
      clearInterval(dripping);
      for (const socket of sockets) socket.removeAllListeners('close').destroy();
      return { open: sockets.size, endedByServer };
    },
  };
}
