/** Clients that open the live page's events, as a page does that is loaded anew each second. */
import type { Socket } from 'node:net';
import { open } from './connection.ts';

const REQUEST = 'GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n';

export interface ListenerCounts {
  /** Streams that began with what the run has been. */
  begun: number;
  /** Refused, or ended before that. */
  failed: number;
  bytes: number;
}

export function listeners(port: number, count: number) {
  const counts: ListenerCounts = { begun: 0, failed: 0, bytes: 0 };
  let sockets: Socket[] = [];
  const leave = () => {
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
    sockets = [];
  };
  const loadAnew = () => {
    leave();
    sockets = Array.from({ length: count }, () => listen(port, counts));
  };
  loadAnew();
  const timer = setInterval(loadAnew, 1000);
  return {
    stop(): ListenerCounts {
      clearInterval(timer);
      leave();
      return counts;
    },
  };
}

function listen(port: number, counts: ListenerCounts): Socket {
  let head = '';
  let hasBegun = false;
  const socket = open(port).on('data', (data) => {
    counts.bytes += data.length;
    if (hasBegun) return;
    head = (head + data.toString('latin1')).slice(0, 4096);
    if (!head.includes('\nevent: snapshot\n')) return;
    hasBegun = true;
    counts.begun++;
  });
  socket.on('close', () => {
    if (!hasBegun) counts.failed++;
  });
  socket.write(REQUEST);
  return socket;
}
