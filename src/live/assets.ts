/** The files of the live page, read once and served as they are. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../metrics/answers.ts';

/** Where the build puts them. */
const FOLDER = new URL('./page/', import.meta.url);
const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const;
export type AssetName = keyof typeof TYPES;

/** Nothing from elsewhere, nothing in line, no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export class Asset {
  readonly #type: string;
  readonly #body: Buffer;
  readonly #zipped: Buffer;
  readonly #hash: string;

  constructor(type: string, body: Buffer) {
    this.#type = type;
    this.#body = body;
    this.#zipped = gzipSync(body, { level: 9 });
    this.#hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  }

  answer({ headers }: IncomingMessage): Answer {
    const zipped = acceptsGzip(headers['accept-encoding']);
    const tag = `"${this.#hash}${zipped ? '-gzip' : ''}"`;
    const isKnown = tagsOf(headers['if-none-match']).includes(tag);
    return {
      status: isKnown ? 304 : 200,
      type: this.#type,
      body: isKnown ? '' : zipped ? this.#zipped : this.#body,
      headers: {
        'Cache-Control': 'no-cache',
        ETag: tag,
        Vary: 'Accept-Encoding',
        ...(zipped && { 'Content-Encoding': 'gzip' }),
        ...(this.#type.startsWith('text/html') && {
          'Content-Security-Policy': CONTENT_SECURITY_POLICY,
        }),
      },
    };
  }
}

/** Throws as readFile does where the build has left one out. */
export function readAssets(folder: URL = FOLDER): Readonly<Record<AssetName, Asset>> {
  const assets = Object.entries(TYPES).map(([name, type]) => [
    name,
    new Asset(type, readFileSync(new URL(name, folder))),
  ]);
  return Object.fromEntries(assets);
}

/** Where the header names gzip, or all, and does not rule it out by a quality of 0. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const qualities = new Map<string, number>();
  for (const item of String(header ?? '').split(',')) {
    const [coding, ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((part) => part.startsWith('q='))?.slice(2) ?? '1';
    qualities.set(coding, Number(quality));
  }
  return (qualities.get('gzip') ?? qualities.get('*') ?? 0) > 0;
}

/** Of a comparison that takes no heed of weakness. */
function tagsOf(header: string | undefined): string[] {
  return (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
}
