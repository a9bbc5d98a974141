/** A log of JSON lines that training appends to, and that a resume cuts back to where a checkpoint left it. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { formatBytes } from '../bytes.ts';
import { errorCode, InputError, messageOf, TrainingError } from '../errors.ts';
import { READ_WITHOUT_WAITING } from '../small-file.ts';

/** What waits for room on a full disk; beyond it the run cannot go on without losing lines. */
const MAX_PENDING_BYTES = 64 * 2 ** 20;
/**
 * Of a line and of what is torn behind it: a sample of 100,000 characters takes 600 kB where each is escaped. The end of a line
 * is not looked for any further, for a log may be a stranger's, a hole of terabytes.
 */
const MAX_LINE_BYTES = 2 ** 20;
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
   * InputError where it cannot be opened, or is none there.
   */
  constructor(path: string, bytes: number) {
    this.path = path;
    this.#file = open(path);
    try {
      const whole = wholeLines(this.#file, bytes);
      if (whole === undefined) throw noLog(path);
      this.#bytes = whole;
      ftruncateSync(this.#file, whole);
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
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
   * Appends a line of each record, in one write. What cannot be written (full disk) waits in memory and is tried again with the
   * next ones; then the error is returned. Throws TrainingError when too much waits.
   */
  append(records: readonly object[]): Error | undefined {
    const lines = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    this.#pending.push(lines);
    this.#pendingBytes += lines.length;
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

  /** Of the open file: any thread of this process can sync by it what was written. */
  get descriptor(): number {
    return this.#file;
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
 * Bytes of the whole lines within the first `bytes` of a log; 0 where there is none, or it is damaged there. Throws InputError
 * where it cannot be read.
 */
export function wholeBytes(path: string, bytes: number): number {
  if (!existsSync(path)) return 0;
  let file: number | undefined;
  try {
    file = openSync(path, READ_WITHOUT_WAITING);
    if (!fstatSync(file).isFile()) throw new Error('what is no regular file');
    return wholeLines(file, bytes) ?? 0;
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

/** The same of an open file; undefined where none of the lines that a log can have ends there. */
function wholeLines(file: number, bytes: number): number | undefined {
  const block = Buffer.alloc(4096);
  const last = Math.min(bytes, fstatSync(file).size);
  const first = Math.max(0, last - MAX_LINE_BYTES - 1);
  for (let end = last; end > first; ) {
    const start = Math.max(first, end - block.length);
    const got = readSync(file, block, 0, end - start, start);
    const lineEnd = block.subarray(0, got).lastIndexOf(LINE_END);
    if (lineEnd >= 0) return start + lineEnd + 1;
    end = start;
  }
  return first === 0 ? 0 : undefined;
}

function noLog(path: string): InputError {
  return new InputError(
    `Expected ${path} to be a log of the run, got no end of a line in the last ${formatBytes(MAX_LINE_BYTES)} that count. ` +
      'Move it away: its lines then count as lost.',
  );
}

function tooMuch(path: string, cause: Error): TrainingError {
  return new TrainingError(
    `Expected to write ${path}, but more than ${formatBytes(MAX_PENDING_BYTES)} of lines wait for it: ` +
      `${cause.message}. Make room and resume the run.`,
    {},
    { cause },
  );
}
