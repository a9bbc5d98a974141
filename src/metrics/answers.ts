/** How the server answers: with a whole body, always saying what browsers must not do with it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Answer {
  /** 200 unless given. */
  status?: number;
  type: string;
  body: string | Buffer;
  headers?: Readonly<Record<string, string>>;
}

export const PLAIN = 'text/plain; charset=utf-8';

/** Of every answer. */
export const COMMON_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status = 200, type, body, headers } = answer;
  if (hasBody(request)) response.setHeader('Connection', 'close');
  response.writeHead(status, {
    'Content-Type': type,
    ...COMMON_HEADERS,
    ...(status !== 304 && { 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** An error ends the connection, so that no body of its request is waited for. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): void {
  response.setHeader('Connection', 'close');
  send(request, response, { status, type: PLAIN, body: `${message}\n` });
}

/** Nobody waits for a body: the connection ends with the answer. */
function hasBody({ headers }: IncomingMessage): boolean {
  return 'content-length' in headers || 'transfer-encoding' in headers;
}
