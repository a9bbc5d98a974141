/** Every backend and variant of the kernel contract that the suite in test/kernels runs against. */
import type { Kernels } from '../../src/kernels/contract.ts';
import { createNativeKernels } from '../../src/kernels/native.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import { compileWasmKernels, createWasmKernels } from '../../src/kernels/wasm.ts';
import { viewArena } from '../../src/memory/arena.ts';
import { NATIVE_VARIANTS } from './native-variants.ts';

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
  ...NATIVE_VARIANTS.map((variant) => ({
    name: variant,
    create: (memory: WebAssembly.Memory) => createNativeKernels(memory, variant),
  })),
  wasmBackend('simd'),
  wasmBackend('relaxed-simd'),
];

function wasmBackend(variantName: string): KernelBackend {
  process.env.THREADLOOM_WASM_VARIANT = variantName;
  const { module, variant } = compileWasmKernels();
  delete process.env.THREADLOOM_WASM_VARIANT;
  return { name: variant, create: (memory) => createWasmKernels(module, memory, variant) };
}
