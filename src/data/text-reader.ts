/** Reads any window of joined files as ids, in constant memory. */
import type { FileIndex } from '../pool/actor-protocol.ts';
import { changed, OpenFiles } from './open-files.ts';
import { decodeSequence, encodedLength, sequenceLength } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

const BLOCK_BYTES = 65_536;
const MAX_SYMBOL_BYTES = 4;

/** A place in the joined text: where a reader goes on without a search. A new one stands nowhere. */
export class Cursor {
  symbol = -1;
  file = 0;
  byte = 0;
}

export class TextReader {
  /** Number of symbols of all files. */
  readonly symbols: number;
  readonly #files: readonly FileIndex[];
  readonly #open: OpenFiles;
  readonly #idOf: Int32Array;
  readonly #kind: Vocabulary['kind'];
  /** First symbol of each file. */
  readonly #starts: Float64Array;
  readonly #block = new Uint8Array(BLOCK_BYTES);

  constructor(files: readonly FileIndex[], vocabulary: Vocabulary) {
    this.#files = files;
    this.#open = new OpenFiles(files);
    this.#idOf = vocabulary.idOf;
    this.#kind = vocabulary.kind;
    this.#starts = new Float64Array(files.length);
    let symbols = 0;
    files.forEach((file, i) => {
      this.#starts[i] = symbols;
      symbols += file.symbols;
    });
    this.symbols = symbols;
  }

  /**
   * Writes the ids of symbols [position, position + count) to ids[0, count), count ≥ 1, and leaves the
   * cursor at the last of them, where the next window of a stream begins.
   * Throws TrainingError where a file changed since the scan.
   */
  read(position: number, count: number, ids: Int32Array, cursor = new Cursor()): void {
    if (!(position >= 0 && count >= 1 && position + count <= this.symbols)) {
      throw new RangeError(`No symbols ${position} to ${position + count} of ${this.symbols}`);
    }
    if (cursor.symbol !== position) this.#seek(position, cursor);
    cursor.symbol = -1; // Should a read fail, the next one searches.
    for (let done = 0; done < count; ) {
      const block = this.#load(cursor, (count - done) * MAX_SYMBOL_BYTES);
      done +=
        this.#kind === 'byte'
          ? copyBytes(block, ids, done, count, cursor)
          : this.#decode(block, ids, done, count, cursor);
    }
    cursor.symbol = position + count - 1;
  }

  /** So far, what was read twice counted twice. */
  get bytesRead(): number {
    return this.#open.bytesRead;
  }

  close(): void {
    this.#open.close();
  }

  /** Moves the cursor to a symbol: to the indexed one before it, then over those between. */
  #seek(position: number, cursor: Cursor): void {
    cursor.file = this.#fileOf(position);
    const { stride, offsets } = this.#files[cursor.file];
    const within = position - this.#starts[cursor.file];
    const mark = Math.floor(within / stride);
    cursor.byte = offsets[mark];
    let skip = within - mark * stride;
    if (this.#kind === 'byte') {
      cursor.byte += skip;
      return;
    }
    while (skip > 0) {
      const block = this.#load(cursor, skip * MAX_SYMBOL_BYTES);
      let at = 0;
      for (; skip > 0 && at < block.length; skip--) at += sequenceLength(block[at]);
      cursor.byte += at;
    }
  }

  #fileOf(position: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** At most `wanted` bytes from the cursor on, at least one; moves it over the end of a file. */
  #load(cursor: Cursor, wanted: number): Uint8Array {
    if (cursor.byte >= this.#files[cursor.file].bytes) {
      cursor.file++;
      cursor.byte = 0;
    }
    const left = this.#files[cursor.file].bytes - cursor.byte;
    const block = this.#block.subarray(0, Math.min(wanted, left, BLOCK_BYTES));
    this.#open.read(cursor.file, cursor.byte, block);
    return block;
  }

  /** Ids of the whole characters of a block; returns how many. The cursor then stands as `read` says. */
  #decode(
    block: Uint8Array,
    ids: Int32Array,
    first: number,
    count: number,
    cursor: Cursor,
  ): number {
    const idOf = this.#idOf;
    let at = 0;
    let next = first;
    let last = 0;
    while (next < count && at < block.length) {
      const codePoint = decodeSequence(block, at, block.length);
      if (codePoint < 0) break;
      const id = idOf[codePoint] ?? -1;
      if (id < 0) break;
      ids[next++] = id;
      last = at;
      at += encodedLength(codePoint);
    }
    // A character cut by the end of the block is whole in the next one, whose first it is.
    if (next === first) throw changed(this.#files[cursor.file].path);
    cursor.byte += next === count ? last : at;
    return next - first;
  }
}

function copyBytes(
  block: Uint8Array,
  ids: Int32Array,
  first: number,
  count: number,
  cursor: Cursor,
): number {
  const taken = Math.min(block.length, count - first);
  for (let i = 0; i < taken; i++) ids[first + i] = block[i];
  cursor.byte += first + taken === count ? taken - 1 : taken;
  return taken;
}
