/** Checks and counts UTF-8 text block by block. Pure. */
import { InputError, show } from '../errors.ts';
import { SparseIndex } from './sparse-index.ts';
import { CUT, decodeSequence, encodedLength, INVALID } from './utf8.ts';

/** Called with each code point that is new, its position in the file in characters, and in bytes. */
export type Meet = (codePoint: number, character: number, byte: number) => void;

export class TextScanner {
  readonly index = new SparseIndex();
  readonly #path: string;
  readonly #known: Uint8Array;
  readonly #meet: Meet;
  #symbols = 0;
  #bytes = 0;

  /** `known` (CODE_POINTS,) is 0 where `meet` must be called, which sets it to 1 or throws. */
  constructor(path: string, known: Uint8Array, meet: Meet) {
    this.#path = path;
    this.#known = known;
    this.#meet = meet;
  }

  /** Characters so far. */
  get symbols(): number {
    return this.#symbols;
  }

  /**
   * Takes the whole characters of bytes[0, end) and returns how many bytes they are; up to 3 bytes of
   * a character that is cut off must begin the next block. Throws InputError for invalid UTF-8.
   */
  scan(bytes: Uint8Array, end: number): number {
    const known = this.#known;
    const index = this.index;
    let symbols = this.#symbols;
    let at = 0;
    while (at < end) {
      const first = at;
      // Four at a time while nothing is new: most of a text.
      for (; at + 4 <= end; at += 4) {
        const a = bytes[at];
        const b = bytes[at + 1];
        const c = bytes[at + 2];
        const d = bytes[at + 3];
        const allKnown = known[a] & known[b] & known[c] & known[d];
        if ((a | b | c | d) >= 0x80 || allKnown === 0) break;
      }
      for (; at < end; at++) {
        const byte = bytes[at];
        if (byte >= 0x80) break;
        if (known[byte] === 0) this.#meet(byte, symbols + at - first, this.#bytes + at);
      }
      if (symbols + at - first > index.next) {
        index.add(symbols, this.#bytes + first, at - first);
      }
      symbols += at - first;

      let codePoint = 0;
      for (; at < end; at += encodedLength(codePoint)) {
        codePoint = decodeSequence(bytes, at, end);
        if (codePoint < 0x80) break;
        if (known[codePoint] === 0) this.#meet(codePoint, symbols, this.#bytes + at);
        if (symbols === index.next) index.add(symbols, this.#bytes + at, 1);
        symbols++;
      }
      if (codePoint === CUT) break;
      if (codePoint === INVALID) throw this.#invalid(this.#bytes + at);
    }
    this.#symbols = symbols;
    this.#bytes += at;
    return at;
  }

  /** The file ends; `rest` bytes are left of its last character. Throws InputError if there are any. */
  end(rest: number): void {
    if (rest > 0) throw this.#invalid(this.#bytes);
  }

  #invalid(byte: number): InputError {
    return new InputError(
      `Expected UTF-8 text in ${show(this.#path)}, got invalid bytes at byte offset ${byte}. ` +
        'Convert the file to UTF-8, or use --tokens byte.',
    );
  }
}
