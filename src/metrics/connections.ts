/** Keeps the connections of a server few, whatever its clients do. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of a server. */
export interface Connections {
  /** The answer to a request goes on for long: its connection is not among the limited ones, and may be idle. */
  exempt(response: ServerResponse): void;
}

/** A usual request is no longer; a hostile one of it holds a dozen requests. */
const SLICE_BYTES = 256;

/**
 * Beyond `limit` connections the one that has waited longest since its last request, or since it came, is ended: slow and
 * idle clients cannot keep out one that asks at once. So is one that asks again before it was answered. None of them keeps
 * the process alive.
 */
export function limitConnections(server: Server, limit: number): Connections {
  /** With the answer to the last request; in the order of the waiting. */
  const open = new Map<Socket, ServerResponse | undefined>();
  const exempted = new WeakSet<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.unref();
    parseInSlices(socket);
    open.set(socket, undefined);
    socket.once('close', () => open.delete(socket));
    if (open.size > limit) end(open.keys().next().value as Socket);
  });
  server.prependListener('request', ({ socket }, response) => {
    const last = open.get(socket);
    if (exempted.has(socket) || (last && !last.writableFinished)) return end(socket);
    if (!open.delete(socket)) return; // It has just been ended.
    open.set(socket, response);
  });
  function end(socket: Socket): void {
    open.delete(socket);
    socket.destroy();
  }
  return {
    exempt({ req: { socket } }) {
      open.delete(socket);
      exempted.add(socket);
      socket.setTimeout(0);
    },
  };
}

/**
 * Node parses the 64 KiB that are read at a time in one go, and makes some kilobytes of objects for each request in them,
 * thousands, before an ended connection counts. So its parser, which listens to the data, is given little at a time.
 */
function parseInSlices(socket: Socket): void {
  for (const parse of socket.listeners('data')) {
    socket.off('data', parse as () => void);
    socket.on('data', (data: Buffer) => {
      for (let start = 0; start < data.length && socket.writable; start += SLICE_BYTES) {
        parse.call(socket, data.subarray(start, start + SLICE_BYTES));
      }
    });
  }
}
