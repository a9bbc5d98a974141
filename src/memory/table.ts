/**
 * The table of the arena: every region with its name, element type, shape and offset. Pure.
 *
 * All offsets are counted in words of 4 bytes, so that a float32 index, an int32 index and an
 * offset are the same number, and a 4 GiB arena fits a signed 32-bit integer.
 */

/** Index of a 32-bit word in the arena. 0 is never the offset of a region: it means "none". */
export type Offset = number;

export type ElementType = 'float32' | 'int32' | 'float64';

export interface Region {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** First word; a multiple of 16 (64 bytes). */
  readonly offset: Offset;
  /** Number of elements (not words). */
  readonly length: number;
}

export const WORD_BYTES = 4;
/** Words in a cache line of 64 bytes: no two regions share one, so no two writers do. */
export const LINE_WORDS = 16;

export interface ArenaTable {
  readonly words: number;
  /** In order of offset. */
  readonly regions: readonly Region[];
}

/** Collects regions one after another. */
export class TableBuilder {
  #next = LINE_WORDS;
  readonly #regions = new Map<string, Region>();

  /** Reserves a region; its offset is final at once. Throws on a name given twice or a negative size. */
  add(name: string, type: ElementType, ...shape: number[]): Offset {
    if (this.#regions.has(name)) throw new Error(`Region ${name} is declared twice`);
    const length = shape.reduce((product, size) => product * size, 1);
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new Error(`Region ${name} has shape (${shape.join(', ')})`);
    }
    const offset = this.#next;
    this.#regions.set(name, Object.freeze({ name, type, shape, offset, length }));
    this.#next = alignToLine(offset + length * wordsOf(type));
    return offset;
  }

  build(): ArenaTable {
    return { words: this.#next, regions: [...this.#regions.values()] };
  }
}

function alignToLine(words: number): number {
  return Math.ceil(words / LINE_WORDS) * LINE_WORDS;
}

function wordsOf(type: ElementType): number {
  return type === 'float64' ? 2 : 1;
}
