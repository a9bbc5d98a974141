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

/** Collects regions one after another; `build` freezes them. */
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
    return new ArenaTable(this.#regions, this.#next);
  }
}

export class ArenaTable {
  readonly words: number;
  readonly #regions: ReadonlyMap<string, Region>;

  constructor(regions: ReadonlyMap<string, Region>, words: number) {
    this.#regions = regions;
    this.words = words;
  }

  get bytes(): number {
    return this.words * WORD_BYTES;
  }

  /** All regions in order of offset. */
  get regions(): Region[] {
    return [...this.#regions.values()];
  }

  /** Throws where no region has the name: a mistake in this program, not of its user. */
  region(name: string): Region {
    const region = this.#regions.get(name);
    if (!region) throw new Error(`No region named ${name}`);
    return region;
  }
}

export function alignToLine(words: number): number {
  return Math.ceil(words / LINE_WORDS) * LINE_WORDS;
}

function wordsOf(type: ElementType): number {
  return type === 'float64' ? 2 : 1;
}
