/** A log of JSON lines that training appends to, and that a resume cuts back to where a checkpoint left it. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errorCode, InputError, messageOf } from '../errors.ts';

/** What waits for room on a full disk; beyond it the run cannot go on without losing lines. */
const MAX_PENDING_BYTES = 64 * 2 ** 20;

export class AppendLog {
  readonly path: string;
  readonly #file: number;
  #bytes: number;
  #pending: Buffer = Buffer.alloc(0);

  /** Opens the log, cut back to `bytes`. Throws InputError where it is shorter or cannot be opened. */
  constructor(path: string, bytes: number) {
    this.path = path;
    this.#file = open(path);
    const size = fstatSync(this.#file).size;
    if (size < bytes) {
      closeSync(this.#file);
      throw new InputError(
        `Expected ${path} to have at least ${bytes} bytes, as when the checkpoint was written, got ${size}. ` +
          'Restore the file, or start a new run with --from.',
      );
    }
    ftruncateSync(this.#file, bytes);
    this.#bytes = bytes;
  }

  /** Bytes of the log once all that was appended is written. */
  get bytes(): number {
    return this.#bytes + this.#pending.length;
  }

  /**
   * Appends one line. A line that cannot be written (full disk) waits in memory and is tried again with the next one;
   * then the error is returned. Throws when too much waits.
   */
  append(record: object): Error | undefined {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    this.#pending = this.#pending.length === 0 ? line : Buffer.concat([this.#pending, line]);
    return this.flush();
  }

  /** Writes what waits; returns the error where that fails. */
  flush(): Error | undefined {
    try {
      while (this.#pending.length > 0) {
        const written = writeSync(this.#file, this.#pending, 0, this.#pending.length, this.#bytes);
        this.#bytes += written;
        this.#pending = this.#pending.subarray(written);
      }
      return undefined;
    } catch (error) {
      if (this.#pending.length > MAX_PENDING_BYTES) throw error;
      return error as Error;
    }
  }

  close(): void {
    closeSync(this.#file);
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
