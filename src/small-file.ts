/** Reading of small files that may come from strangers: bounded, and never waiting for the other end of a pipe. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { formatBytes } from './bytes.ts';

/** Flags to open a file with, which may be a pipe that nobody writes to; but on Windows, which has no such pipes. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The text of a regular file of at most `maxBytes`. Throws an Error with the reason, without the path, or of the system. */
export function readSmallFile(path: string, maxBytes: number): string {
  const descriptor = openSync(path, READ_WITHOUT_WAITING);
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error('it is not a regular file');
    return readAtMost(descriptor, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

/** All that is in an open file, as text. Throws an Error where that is more than `maxBytes`. */
export function readAtMost(descriptor: number, maxBytes: number): string {
  const blocks: Buffer[] = [];
  for (let bytes = 0; ; ) {
    const block = Buffer.alloc(65_536);
    const got = readSync(descriptor, block, 0, block.length, null);
    if (got === 0) return Buffer.concat(blocks).toString('utf8');
    bytes += got;
    if (bytes > maxBytes) throw new Error(`it is larger than ${formatBytes(maxBytes)}`);
    blocks.push(block.subarray(0, got));
  }
}
