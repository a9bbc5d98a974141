/** The arena: one shared WebAssembly memory that all threads see. */
import { InputError, messageOf } from '../errors.ts';
import { WORD_BYTES } from './table.ts';

const PAGE_BYTES = 65_536;

/** Largest shared memory a WebAssembly module can address. */
export const MAX_ARENA_BYTES = 4 * 2 ** 30;

export interface ArenaViews {
  readonly reals: Float32Array;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
}

/** Reserves `words` words, all zero. Resident memory grows only as they are written. Throws InputError where the system refuses. */
export function createArena(words: number): WebAssembly.Memory {
  const pages = Math.ceil((words * WORD_BYTES) / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    throw new InputError(
      `Expected the system to reserve an arena of ${(pages * PAGE_BYTES) / 1024} KiB, got: ${messageOf(error)}. ` +
        'Raise its limit of address space (ulimit -v), of which an arena of any size takes some 10 GiB.',
      { cause: error },
    );
  }
}

export function viewArena(memory: WebAssembly.Memory): ArenaViews {
  return {
    reals: new Float32Array(memory.buffer),
    ints: new Int32Array(memory.buffer),
    doubles: new Float64Array(memory.buffer),
  };
}
