/** Chooses the kernels of a run, once, on the main thread; every other thread builds the same from the choice. */
import { InputError, messageOf } from '../errors.ts';
import { viewArena } from '../memory/arena.ts';
import type { Kernels } from './contract.ts';
import { createReferenceKernels } from './reference/kernels.ts';
import { compileWasmKernels, createWasmKernels } from './wasm.ts';

export type BackendRequest = 'auto' | 'wasm' | 'reference';

/** Crosses threads: a compiled module is shared, not copied. */
export type KernelChoice =
  | { backend: 'reference'; variant: 'reference' }
  | ({ backend: 'wasm' } & ReturnType<typeof compileWasmKernels>);

/** `auto` takes the fastest that loads. Throws InputError where the one asked for does not load, saying why. */
export function chooseKernels(request: BackendRequest): KernelChoice {
  if (request === 'reference') return { backend: 'reference', variant: 'reference' };
  try {
    return { backend: 'wasm', ...compileWasmKernels() };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `Expected the wasm kernels to load: ${messageOf(error)}. Run npm run build, or use --backend reference (slow).`,
      { cause: error },
    );
  }
}

/** Binds the kernels to an arena. Costs little: a thread does it once. */
export function createKernels(choice: KernelChoice, memory: WebAssembly.Memory): Kernels {
  if (choice.backend === 'wasm') return createWasmKernels(choice.module, memory, choice.variant);
  const { reals, ints } = viewArena(memory);
  return createReferenceKernels(reals, ints);
}
