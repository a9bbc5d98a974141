/** The map between text and ids. Pure. */
import { InputError } from '../errors.ts';
import type { TokenKind } from '../pool/actor-protocol.ts';
import { describeCodePoint } from './utf8.ts';

/** The symbols of the byte vocabulary: id and byte are the same. */
export const BYTE_VOCABULARY: readonly number[] = Object.freeze(
  Array.from({ length: 256 }, (_, byte) => byte),
);

/** Turns ids into text piece by piece; a character whose bytes are not all there waits for the next. */
export interface TextDecoding {
  write(ids: ArrayLike<number>): string;
  /** What still waits, as U+FFFD. */
  end(): string;
}

export class Vocabulary {
  readonly kind: TokenKind;
  /** The code point (or byte) of each id, ascending. */
  readonly codePoints: readonly number[];
  /** The id of each code point up to the largest of the vocabulary, −1 outside it. */
  readonly idOf: Int32Array;

  constructor(kind: TokenKind, codePoints: readonly number[]) {
    this.kind = kind;
    this.codePoints = codePoints;
    this.idOf = new Int32Array((codePoints.at(-1) ?? -1) + 1).fill(-1);
    codePoints.forEach((codePoint, id) => {
      this.idOf[codePoint] = id;
    });
  }

  /** V: ids are 0 … size − 1. */
  get size(): number {
    return this.codePoints.length;
  }

  /** What a text begins after that has no other beginning: a line break, or the first symbol where there is none. */
  get firstId(): number {
    return Math.max(0, this.codePoints.indexOf(10));
  }

  /** Ids of a text. Throws InputError naming the first character outside the vocabulary, and where it is. */
  encode(text: string): Int32Array {
    if (this.kind === 'byte') return Int32Array.from(new TextEncoder().encode(text));
    return Int32Array.from([...text], (character, position) => {
      const codePoint = character.codePointAt(0) as number;
      const id = this.idOf[codePoint] ?? -1;
      if (id < 0) throw this.#unknown(codePoint, position);
      return id;
    });
  }

  /** Text of ids; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>): string {
    const decoding = this.decoder();
    return decoding.write(ids) + decoding.end();
  }

  /** A new decoding, for ids that come one after another. */
  decoder(): TextDecoding {
    return this.kind === 'byte' ? decodeBytes() : this.#decodeCharacters();
  }

  #decodeCharacters(): TextDecoding {
    return {
      write: (ids) => Array.from(ids, (id) => String.fromCodePoint(this.codePoints[id])).join(''),
      end: () => '',
    };
  }

  #unknown(codePoint: number, position: number): InputError {
    return new InputError(
      `Expected only the ${this.size} characters of the model's vocabulary, got ` +
        `${describeCodePoint(codePoint)} at character ${position}. Remove it from the text.`,
    );
  }
}

function decodeBytes(): TextDecoding {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    write: (ids) => decoder.decode(Uint8Array.from(ids), { stream: true }),
    end: () => decoder.decode(),
  };
}
