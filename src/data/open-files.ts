/** Files of a corpus, opened as they are needed, a bounded number at a time. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { messageOf, show, TrainingError } from '../errors.ts';
import type { FileIndex } from '../pool/actor-protocol.ts';
import { openTextFile } from './text-file.ts';

export class OpenFiles {
  /** So far, of all files. */
  bytesRead = 0;
  readonly #files: readonly FileIndex[];
  readonly #limit: number;
  /** Descriptors by file, the one used last at the end. */
  readonly #descriptors = new Map<number, number>();

  constructor(files: readonly FileIndex[], limit = 64) {
    this.#files = files;
    this.#limit = limit;
  }

  /**
   * Fills `into` from byte `first` of a file on. Throws TrainingError where the file is not what was
   * scanned any more: checked after the read, so what is returned is from before any change.
   */
  read(file: number, first: number, into: Uint8Array): void {
    this.#whileUnchanged(file, (descriptor) => {
      const done = readUpTo(descriptor, first, into);
      this.bytesRead += done;
      return done === into.length;
    });
  }

  /** Throws TrainingError where the file is not what was scanned any more. */
  check(file: number): void {
    this.#whileUnchanged(file, () => true);
  }

  #whileUnchanged(file: number, use: (descriptor: number) => boolean): void {
    const { path, bytes, modifiedMs } = this.#files[file];
    try {
      const descriptor = this.#descriptorOf(file);
      const succeeded = use(descriptor);
      const { size, mtimeMs } = fstatSync(descriptor);
      if (succeeded && size === bytes && mtimeMs === modifiedMs) return;
    } catch (error) {
      throw new TrainingError(
        `The text of the run cannot be read any more: ${messageOf(error)}`,
        {},
        { cause: error },
      );
    }
    throw changed(path);
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }

  #descriptorOf(file: number): number {
    const descriptor = this.#descriptors.get(file) ?? this.#open(file);
    this.#descriptors.delete(file);
    this.#descriptors.set(file, descriptor);
    return descriptor;
  }

  #open(file: number): number {
    const oldest = this.#descriptors.entries().next().value;
    if (oldest && this.#descriptors.size >= this.#limit) {
      this.#descriptors.delete(oldest[0]);
      closeSync(oldest[1]);
    }
    return openTextFile(this.#files[file].path).descriptor;
  }
}

/** Reads until `into` is full or the file ends; returns the number of bytes. */
function readUpTo(descriptor: number, first: number, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const got = readSync(descriptor, into, done, into.length - done, first + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** The failure of a run whose text is not what was scanned. */
export function changed(path: string): TrainingError {
  return new TrainingError(
    `Expected ${show(path)} to stay as it was when the run began, but it changed. ` +
      'Restore the file and resume the run, or begin a new run.',
  );
}
