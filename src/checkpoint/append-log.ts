/** A log of JSON lines that training appends to, and that a resume cuts back to where a checkpoint left it. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { formatBytes } from '../bytes.ts';
import { errorCode, InputError, messageOf, TrainingError } from '../errors.ts';
import { READ_WITHOUT_WAITING } from '../small-file.ts';

/** What waits for room on a full disk; beyond it the run cannot go on without losing lines. */
const MAX_PENDING_BYTES = 64 * 2 ** 20;
const LINE_END = 10;

export class AppendLog {
  readonly path: string;
  readonly #file: number;
  #bytes: number;
  /** Lines, the first perhaps without its beginning, that wait. */
  readonly #pending: Buffer[] = [];
  #pendingBytes = 0;

  /**
   * Opens the log, cut back to the last whole line within its first `bytes`: to all of them unless lines were lost. Throws
   * InputError where it cannot be opened.
   */
  constructor(path: string, bytes: number) {
    this.path = path;
    this.#file = open(path);
    this.#bytes = wholeLines(this.#file, bytes);
    ftruncateSync(this.#file, this.#bytes);
  }

  /** Bytes of the log once all that was appended is written. */
  get bytes(): number {
    return this.#bytes + this.#pendingBytes;
  }

  /** Bytes that could not be written yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Appends one line. A line that cannot be written (full disk) waits in memory and is tried again with the next one;
   * then the error is returned. Throws TrainingError when too much waits.
   */
  append(record: object): Error | undefined {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    const error = this.flush();
    if (error && this.#pendingBytes > MAX_PENDING_BYTES) throw tooMuch(this.path, error);
    return error;
  }

  /** Writes what waits; returns the error where that fails. */
  flush(): Error | undefined {
    let done = 0;
    try {
      for (; done < this.#pending.length; done++) this.#write(done);
      return undefined;
    } catch (error) {
      return error as Error;
    } finally {
      this.#pending.splice(0, done);
    }
  }

  /** Resolves once all that was written is on the disk. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Writes a pending line; what could be written of it waits no more. */
  #write(index: number): void {
    while (this.#pending[index].length > 0) {
      const written = writeSync(this.#file, this.#pending[index]);
      this.#pending[index] = this.#pending[index].subarray(written);
      this.#pendingBytes -= written;
      this.#bytes += written;
    }
  }
}

/** Read and write, created where missing, never emptied. A link is not followed: it may lead out of the run. */
const FLAGS =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

function open(path: string): number {
  let file: number | undefined;
  try {
    file = openSync(path, FLAGS, 0o666);
    if (!fstatSync(file).isFile()) throw new Error('it is not a regular file');
    return file;
  } catch (error) {
    if (file !== undefined) closeSync(file);
    const reason = errorCode(error) === 'ELOOP' ? 'it is a link' : messageOf(error);
    throw new InputError(`Expected ${path} to be writable: ${reason}.`, { cause: error });
  }
}

/**
 * Bytes of the whole lines within the first `bytes` of a log; 0 where there is none. Throws InputError where it cannot be
 * read.
 */
export function wholeBytes(path: string, bytes: number): number {
  if (!existsSync(path)) return 0;
  let file: number | undefined;
  try {
    file = openSync(path, READ_WITHOUT_WAITING);
    if (!fstatSync(file).isFile()) throw new Error('what is no regular file');
    return wholeLines(file, bytes);
  } catch (error) {
    throw new InputError(
      `Expected ${path} to be a log of the run that can be read, got ${messageOf(error)}. ` +
        'Restore it, or move it away: its lines then count as lost.',
      { cause: error },
    );
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The same of an open file. */
function wholeLines(file: number, bytes: number): number {
  const block = Buffer.alloc(4096);
  for (let end = Math.min(bytes, fstatSync(file).size); end > 0; ) {
    const start = Math.max(0, end - block.length);
    const got = readSync(file, block, 0, end - start, start);
    const last = block.subarray(0, got).lastIndexOf(LINE_END);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return 0;
}

function tooMuch(path: string, cause: Error): TrainingError {
  return new TrainingError(
    `Expected to write ${path}, but more than ${formatBytes(MAX_PENDING_BYTES)} of lines wait for it: ` +
      `${cause.message}. Make room and resume the run.`,
    {},
    { cause },
  );
}
