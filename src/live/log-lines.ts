/** Reads the lines of a log from its beginning, however long it is, in bounded memory. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../errors.ts';

const BLOCK_BYTES = 256 * 1024;
/** A sample of 100,000 characters takes 600 kB where each is escaped. What is longer is no line of a run. */
const MAX_LINE_BYTES = 2 ** 20;
/** A hole of terabytes takes no room on a disk, but hours to read: where no line ends for so long, the log does. */
const MAX_GAP_BYTES = 8 * 2 ** 20;
const LINE_END = 10;
/** A link may lead out of the run; a pipe would be waited for. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * The objects of the whole lines within the first `bytes` of a file of JSON lines, up to a gap in which no line ends for 8 MiB;
 * what is no object is passed over, and a file that is missing or is no regular one has none. Throws as open and read do.
 */
export async function* logObjects(
  path: string,
  bytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Record<string, unknown>> {
  const file = await openRegular(path);
  if (!file) return;
  try {
    for await (const line of linesOf(file, bytes)) {
      const value = parse(line);
      if (value) yield value;
    }
  } finally {
    await file.close();
  }
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, FLAGS);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(errorCode(error) ?? '')) return;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return;
}

async function* linesOf(file: FileHandle, bytes: number): AsyncGenerator<string> {
  const block = Buffer.alloc(BLOCK_BYTES);
  let begun = Buffer.alloc(0);
  let isTooLong = false;
  let lastEnd = 0;
  for (let position = 0; position < bytes && position - lastEnd <= MAX_GAP_BYTES; ) {
    const length = Math.min(block.length, bytes - position);
    const { bytesRead } = await file.read(block, 0, length, position);
    if (bytesRead === 0) return;
    let start = 0;
    for (let end = 0; start < bytesRead; start = end + 1) {
      end = block.subarray(0, bytesRead).indexOf(LINE_END, start);
      if (end < 0) break;
      if (!isTooLong) yield Buffer.concat([begun, block.subarray(start, end)]).toString();
      begun = Buffer.alloc(0);
      isTooLong = false;
      lastEnd = position + end;
    }
    position += bytesRead;
    begun = Buffer.concat([begun, block.subarray(start, bytesRead)]);
    isTooLong ||= begun.length > MAX_LINE_BYTES;
    if (isTooLong) begun = Buffer.alloc(0);
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
