/** Byte offsets of every stride-th symbol of a file, in bounded memory for a file of any length. Pure. */

/** Offsets of one file: 512 KiB. */
const CAPACITY = 65_536;
/** Symbols between two offsets at first; finding a symbol skips fewer than a stride of them. */
const FIRST_STRIDE = 16_384;

export class SparseIndex {
  readonly #capacity: number;
  #stride: number;
  #offsets: number[] = [];
  #next = 0;

  /** `capacity` (even) bounds the offsets: at one more, every other is dropped and the stride doubles. */
  constructor(capacity = CAPACITY, stride = FIRST_STRIDE) {
    this.#capacity = capacity;
    this.#stride = stride;
  }

  get stride(): number {
    return this.#stride;
  }

  /** Byte offset of symbol i·stride at [i]. */
  get offsets(): Float64Array {
    return Float64Array.from(this.#offsets);
  }

  /** The symbol whose offset is wanted next. */
  get next(): number {
    return this.#next;
  }

  /** Takes `count` symbols of one byte each, or one of any; the first is number `symbol`, at byte `byte`. */
  add(symbol: number, byte: number, count: number): void {
    while (this.#next < symbol + count) {
      this.#offsets.push(byte + this.#next - symbol);
      if (this.#offsets.length > this.#capacity) this.#thin();
      this.#next = this.#offsets.length * this.#stride;
    }
  }

  #thin(): void {
    this.#offsets = this.#offsets.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }
}
