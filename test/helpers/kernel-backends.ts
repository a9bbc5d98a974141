/** Every backend and variant of the kernel contract that the suite in test/kernels runs against. */
import type { Kernels } from '../../src/kernels/contract.ts';
import { createNativeKernels, loadNativeKernels } from '../../src/kernels/native.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import { compileWasmKernels, createWasmKernels } from '../../src/kernels/wasm.ts';
import { viewArena } from '../../src/memory/arena.ts';

export interface KernelBackend {
  readonly name: string;
  create(memory: WebAssembly.Memory): Kernels;
}

export const KERNEL_BACKENDS: readonly KernelBackend[] = [
  {
    name: 'reference',
    create(memory) {
      const { reals, ints } = viewArena(memory);
      return createReferenceKernels(reals, ints);
    },
  },
  ...nativeBackends(),
  wasmBackend('simd'),
  wasmBackend('relaxed-simd'),
];

/** Each path that this processor has; none where the addon was not built. */
function nativeBackends(): KernelBackend[] {
  return ['avx512', 'avx2'].flatMap((path) => {
    process.env.THREADLOOM_NATIVE_PATH = path;
    const native = loadNativeKernels();
    delete process.env.THREADLOOM_NATIVE_PATH;
    if (!native.available) return [];
    const { variant } = native;
    return [{ name: variant, create: (memory) => createNativeKernels(memory, variant) }];
  });
}

function wasmBackend(variantName: string): KernelBackend {
  process.env.THREADLOOM_WASM_VARIANT = variantName;
  const { module, variant } = compileWasmKernels();
  delete process.env.THREADLOOM_WASM_VARIANT;
  return { name: variant, create: (memory) => createWasmKernels(module, memory, variant) };
}
