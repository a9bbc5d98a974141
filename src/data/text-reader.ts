/** Reads any window of joined files as ids, in constant memory. Who reads one window after another has bytes read ahead. */
import type { FileIndex } from '../pool/actor-protocol.ts';
import { changed, OpenFiles } from './open-files.ts';
import { decodeSequence, encodedLength, sequenceLength } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Most that is read at a time. */
export const BLOCK_BYTES = 65_536;
export const MAX_SYMBOL_BYTES = 4;
/** Room of a cursor that is not told how much there is to read. */
const ROOM_BYTES = 4096;

/**
 * A place in the joined text: where a reader goes on without a search, and mostly without a read, which takes longer than decoding
 * what a chunk needs of it. A new one stands nowhere.
 */
export class Cursor {
  symbol = -1;
  file = 0;
  byte = 0;
  readonly #room: Uint8Array;
  /** What was read ahead: bytes [first, first + length) of a file, at the beginning of the room. */
  #ahead = { file: 0, first: 0, length: 0 };

  /** `roomBytes`: most that is read ahead, at least MAX_SYMBOL_BYTES. */
  constructor(roomBytes = ROOM_BYTES) {
    this.#room = new Uint8Array(roomBytes);
  }

  /** What was read ahead from here on. */
  get ahead(): Uint8Array {
    const { file, first, length } = this.#ahead;
    const isHere = file === this.file && first <= this.byte && this.byte < first + length;
    return this.#room.subarray(isHere ? this.byte - first : length, length);
  }

  /** Has `read` fill as much room as there is, of `wanted` bytes; nothing is read ahead where it throws. */
  readAhead(wanted: number, read: (into: Uint8Array) => void): Uint8Array {
    this.#ahead = { file: this.file, first: this.byte, length: 0 };
    const block = this.#room.subarray(0, wanted);
    read(block);
    this.#ahead.length = block.length;
    return block;
  }
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
   * cursor at the last of them, where the next window of a stream begins. `left`: symbols that the cursor will be asked for, these
   * included. Throws TrainingError where a file changed since the scan; `check` tells it also of what was read ahead.
   */
  read(
    position: number,
    count: number,
    ids: Int32Array,
    cursor = new Cursor(),
    left = count,
  ): void {
    if (!(position >= 0 && count >= 1 && position + count <= this.symbols)) {
      throw new RangeError(`No symbols ${position} to ${position + count} of ${this.symbols}`);
    }
    if (cursor.symbol !== position) this.#seek(position, cursor);
    cursor.symbol = -1; // Should a read fail, the next one searches.
    for (let done = 0; done < count; ) {
      const block = this.#ahead(cursor, left - done);
      done +=
        this.#kind === 'byte'
          ? copyBytes(block, ids, done, count, cursor)
          : this.#decode(block, ids, done, count, cursor);
    }
    cursor.symbol = position + count - 1;
  }

  /** Throws TrainingError where a file that one of the cursors stands in changed since the scan. */
  check(cursors: readonly Cursor[]): void {
    let checked = -1;
    for (const { file } of cursors) {
      if (file !== checked) this.#open.check(file);
      checked = file;
    }
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
      const block = this.#block.subarray(0, this.#bytesOf(cursor, skip));
      this.#open.read(cursor.file, cursor.byte, block);
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

  /** Bytes from the cursor on, at least one whole symbol; moves it over the end of a file. `left`: symbols that are of use. */
  #ahead(cursor: Cursor, left: number): Uint8Array {
    if (cursor.byte >= this.#files[cursor.file].bytes) {
      cursor.file++;
      cursor.byte = 0;
    }
    const { ahead, file, byte } = cursor;
    const isLast = byte + ahead.length === this.#files[file].bytes;
    // Else the last of them may be the beginning of a character.
    if (ahead.length >= MAX_SYMBOL_BYTES || (isLast && ahead.length > 0)) return ahead;
    return cursor.readAhead(this.#bytesOf(cursor, left), (into) =>
      this.#open.read(file, byte, into),
    );
  }

  /** About as many bytes as so many symbols from the cursor on have, at least one whole symbol; no more than the file has. */
  #bytesOf({ file, byte }: Cursor, symbols: number): number {
    const { bytes, symbols: ofFile } = this.#files[file];
    const mean = Math.ceil((symbols * bytes) / ofFile);
    return Math.min(Math.max(mean, MAX_SYMBOL_BYTES), bytes - byte);
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
