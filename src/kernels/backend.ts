/** Chooses the kernels of a run, once, on the main thread; every other thread builds the same from the choice. */
import { InputError, messageOf } from '../errors.ts';
import { viewArena } from '../memory/arena.ts';
import type { BackendName, Kernels } from './contract.ts';
import { createNativeKernels, loadNativeKernels, type NativeVariant } from './native.ts';
import { createReferenceKernels } from './reference/kernels.ts';
import { type CompiledWasmKernels, compileWasmKernels, createWasmKernels } from './wasm.ts';

export type BackendRequest = 'auto' | BackendName;

/** Crosses threads: a compiled module is shared, not copied. */
export type KernelChoice =
  | { backend: 'native'; variant: NativeVariant }
  | ({ backend: 'wasm' } & CompiledWasmKernels)
  | { backend: 'reference'; variant: 'reference' };

/** `auto` takes the fastest that loads. Throws InputError where the one asked for does not load, saying why. */
export function chooseKernels(request: BackendRequest): KernelChoice {
  if (request === 'reference') return { backend: 'reference', variant: 'reference' };
  if (request === 'wasm') return chooseWasm();
  const native = loadNativeKernels();
  if (native.available) return { backend: 'native', variant: native.variant };
  if (request === 'auto') return chooseWasm();
  throw new InputError(
    `Expected the native kernels to load: ${native.reason}. Use --backend wasm, or npm rebuild with a C++ compiler.`,
  );
}

/** Why `auto` does not take the native kernels; undefined where it does. */
export function whyNotNative(): string | undefined {
  const native = loadNativeKernels();
  return native.available ? undefined : native.reason;
}

/** Binds the kernels to an arena. Costs little: a thread does it once. */
export function createKernels(choice: KernelChoice, memory: WebAssembly.Memory): Kernels {
  if (choice.backend === 'native') return createNativeKernels(memory, choice.variant);
  if (choice.backend === 'wasm') return createWasmKernels(choice.module, memory, choice.variant);
  const { reals, ints } = viewArena(memory);
  return createReferenceKernels(reals, ints);
}

function chooseWasm(): KernelChoice {
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
