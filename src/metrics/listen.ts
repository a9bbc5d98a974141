/** Opens the port of the metrics server, or says in one line why that cannot be. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { errorCode, InputError, show } from '../errors.ts';

/** Prometheus' range for exporters begins here. */
export const DEFAULT_PORT = 9464;
const DEFAULT_PORT_TRIES = 100;

/**
 * Opens `port`, any free one for 0, or for undefined the first free one from DEFAULT_PORT on.
 * Resolves to the port. Throws InputError where the port is taken or not allowed, or where the
 * host is not an address of this machine.
 */
export async function listen(
  server: Server,
  host: string,
  port: number | undefined,
): Promise<number> {
  const last = port ?? DEFAULT_PORT + DEFAULT_PORT_TRIES - 1;
  for (let candidate = port ?? DEFAULT_PORT; ; candidate++) {
    try {
      return await open(server, host, candidate);
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE' || candidate === last) {
        throw refusal(error, host, candidate);
      }
    }
  }
}

async function open(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port });
  // Or an error: the system answers at once, the look-up of a name within the limits of its resolver.
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

const HOST_CODES = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EAI_AGAIN', 'EINVAL', 'ENOTFOUND'];

/** What the user is told when `listen` failed with `cause`; any other failure comes back as it is. */
export function refusal(cause: unknown, host: string, port: number): unknown {
  const code = errorCode(cause) ?? '';
  if (code === 'EADDRINUSE') {
    return new InputError(
      `Expected --metrics-port to be free, got ${port} (in use). ` +
        'Use another port, --metrics-port 0 for any free one, or --no-metrics.',
      { cause },
    );
  }
  if (code === 'EACCES') {
    return new InputError(
      `Expected --metrics-port to be one this user may open, got ${port} (not permitted). ` +
        'Use a port from 1024 on, --metrics-port 0 for any free one, or --no-metrics.',
      { cause },
    );
  }
  if (HOST_CODES.includes(code)) {
    return new InputError(
      `Expected --metrics-host to be an address of this machine, got ${show(host)} (${code}). ` +
        'Use 127.0.0.1 for this machine alone, or 0.0.0.0 for every network it is in.',
      { cause },
    );
  }
  return cause;
}
