/**
 * A test bed: one arena for the backend under test and a float64 copy of it for the reference, so
 * that an operation can be called on both with the same offsets and all words compared afterwards.
 */
import type { ExecutionContext } from 'ava';
import type { Kernels } from '../../src/kernels/contract.ts';
import { mix, uniform } from '../../src/kernels/mix.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import type { Offset } from '../../src/memory/table.ts';
import type { KernelBackend } from '../helpers/kernel-backends.ts';

/** Lengths around the vector, the tiles and the panels, and beyond a block of them. */
export const AWKWARD_SIZES = [0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 65, 130] as const;

/** Fills every word that no operand uses: a NaN, so that a read outside an operand shows too. */
const GUARD_BITS = 0x7fc0_beef;
const ARENA_WORDS = 2 ** 21;
const PAGE_WORDS = 2 ** 14;

/** Rows of `width` words, `stride` apart. */
export interface Matrix {
  readonly offset: Offset;
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
}

/** The value of an element by its place; the default is uniform in [−1, 1). */
export type Fill = (row: number, column: number) => number;

/** Greatest difference allowed where the reference has `want`. */
export type Tolerance = (want: number) => number;

export const EXACT: Tolerance = () => 0;

/** `absolute` plus `relative` times the size of the value. */
export function within(absolute: number, relative = 0): Tolerance {
  return (want) => absolute + relative * Math.abs(want);
}

export class Bed {
  readonly kernels: Kernels;
  readonly reals: Float32Array;
  readonly ints: Int32Array;
  readonly #reference: Kernels;
  readonly #doubles = new Float64Array(ARENA_WORDS);
  readonly #referenceInts = new Int32Array(ARENA_WORDS);
  #before = new Int32Array(0);
  #next = 0;
  #places = 0;

  constructor(backend: KernelBackend) {
    const pages = ARENA_WORDS / PAGE_WORDS;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.reals = new Float32Array(memory.buffer);
    this.ints = new Int32Array(memory.buffer);
    this.ints.fill(GUARD_BITS);
    this.kernels = backend.create(memory);
    this.#reference = createReferenceKernels(this.#doubles, this.#referenceInts);
  }

  /** Forgets all operands. */
  clear(): void {
    this.ints.fill(GUARD_BITS, 0, this.#next);
    this.#next = 0;
  }

  /** Places an operand between guards; its alignment changes from one operand to the next. */
  matrix(rows: number, width: number, stride = width, fill: Fill = this.#random()): Matrix {
    const matrix = { offset: this.#place(rows * stride), rows, width, stride };
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) this.#set(matrix.offset + i * stride + j, fill(i, j));
    }
    return matrix;
  }

  vector(length: number, fill?: (index: number) => number): Matrix {
    return this.matrix(1, length, length, fill && ((_, j) => fill(j)));
  }

  /** `groups` times `rows` rows of an operand, the groups `groupStride` apart. */
  grouped(
    groups: number,
    rows: number,
    width: number,
    stride: number,
    groupStride: number,
  ): Matrix {
    const whole = { offset: this.#place(groups * groupStride), width, stride };
    const random = this.#random();
    for (let i = 0; i < groups * rows; i++) {
      const row = whole.offset + Math.floor(i / rows) * groupStride + (i % rows) * stride;
      for (let j = 0; j < width; j++) this.#set(row + j, random(i, j));
    }
    return { ...whole, rows: groups * rows };
  }

  /** int32 numbers below `below`, by their place or at random. */
  indices(length: number, below: number, stride = length, groups = 1): Offset {
    const offset = this.#place(groups * stride);
    for (let g = 0; g < groups; g++) {
      for (let i = 0; i < length; i++) {
        const at = offset + g * stride + i;
        this.ints[at] = Math.floor(uniform(this.#places, at) * below);
        this.#referenceInts[at] = this.ints[at];
      }
    }
    return offset;
  }

  /** int32 numbers as they are given. */
  integers(values: readonly number[]): Offset {
    const offset = this.#place(values.length);
    this.ints.set(values, offset);
    this.#referenceInts.set(values, offset);
    return offset;
  }

  /** Calls an operation on the backend and on the float64 reference. */
  run(operation: (kernels: Kernels) => void): void {
    this.#before = this.ints.slice(0, this.#next + 64);
    operation(this.kernels);
    operation(this.#reference);
  }

  /**
   * Asserts that the outputs of the last `run` are the reference's within a tolerance, and that no
   * word outside them and the scratch was written.
   */
  check(
    t: ExecutionContext,
    label: string,
    outputs: readonly Matrix[],
    tolerance: Tolerance,
    scratch: readonly Matrix[] = [],
  ): void {
    const mistake = this.#wrongNumber(outputs, tolerance) ?? this.#strayWrite(outputs, scratch);
    t.is(mistake, undefined, label);
  }

  /** The numbers of a matrix without the gaps, as bytes to compare. */
  bitsOf(matrix: Matrix): Buffer {
    return Buffer.from(this.numbersOf(matrix).buffer);
  }

  numbersOf({ offset, rows, width, stride }: Matrix): Float32Array<ArrayBuffer> {
    const numbers = new Float32Array(rows * width);
    for (let i = 0; i < rows; i++) {
      const row = offset + i * stride;
      numbers.set(this.reals.subarray(row, row + width), i * width);
    }
    return numbers;
  }

  /** Writes numbers over a matrix in the backend's arena and in the reference's. */
  write(matrix: Matrix, numbers: Float32Array): void {
    for (let i = 0; i < matrix.rows; i++) {
      for (let j = 0; j < matrix.width; j++) {
        this.#set(matrix.offset + i * matrix.stride + j, numbers[i * matrix.width + j]);
      }
    }
  }

  #set(at: Offset, value: number): void {
    this.reals[at] = value;
    this.#doubles[at] = this.reals[at];
  }

  #place(words: number): Offset {
    this.#places++;
    const offset = this.#next + 13 + (this.#places % 4);
    this.#next = offset + words + 13;
    if (this.#next + 64 > ARENA_WORDS) throw new Error(`The test bed has ${ARENA_WORDS} words`);
    return offset;
  }

  #random(): Fill {
    const key = mix(this.#places + 1);
    return (row, column) => 2 * uniform(key, row * 8192 + column) - 1;
  }

  #wrongNumber(outputs: readonly Matrix[], tolerance: Tolerance): string | undefined {
    for (const [index, { offset, rows, width, stride }] of outputs.entries()) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < width; j++) {
          const at = offset + i * stride + j;
          const want = this.#doubles[at];
          const got = this.reals[at];
          const same = Object.is(want, got) || Math.abs(want - got) <= tolerance(want);
          if (!same) return `output ${index}, row ${i}, column ${j}: ${got} instead of ${want}`;
        }
      }
    }
    return undefined;
  }

  #strayWrite(outputs: readonly Matrix[], scratch: readonly Matrix[]): string | undefined {
    const expected = this.#before;
    for (const { offset, rows, width, stride } of [...outputs, ...scratch]) {
      for (let i = 0; i < rows; i++) {
        const row = offset + i * stride;
        expected.set(this.ints.subarray(row, row + width), row);
      }
    }
    const at = expected.findIndex((word, index) => word !== this.ints[index]);
    return at < 0 ? undefined : `word ${at} was written`;
  }
}
