import test, { type ExecutionContext } from 'ava';
import { InputError } from '../../src/errors.ts';
import {
  type CompiledWasmKernels,
  compileWasmKernels,
  createWasmKernels,
} from '../../src/kernels/wasm.ts';

const PAGE_BYTES = 65_536;

/** Compiles with the variable set; the variable is the process's, so that this must not await. */
function compileVariant(name: string): CompiledWasmKernels {
  process.env.THREADLOOM_WASM_VARIANT = name;
  try {
    return compileWasmKernels();
  } finally {
    delete process.env.THREADLOOM_WASM_VARIANT;
  }
}

function forEachVariant(t: ExecutionContext, check: (module: WebAssembly.Module) => void): void {
  for (const name of ['simd', 'relaxed-simd'] as const) {
    const { module, variant } = compileVariant(name);
    t.is(variant, `wasm-${name}`);
    check(module);
  }
}

test('the variable chooses the variant', (t) => {
  t.is(compileVariant('simd').variant, 'wasm-simd');
  t.is(compileVariant('relaxed-simd').variant, 'wasm-relaxed-simd');
});

test('without the variable the best variant is taken', (t) => {
  t.is(compileWasmKernels().variant, 'wasm-relaxed-simd');
});

test('a variant that does not exist is refused, naming those that do', (t) => {
  for (const name of ['', 'wasm-simd', 'toString']) {
    const error = t.throws(() => compileVariant(name), { instanceOf: InputError });
    const wanted = 'Expected THREADLOOM_WASM_VARIANT to be one of simd, relaxed-simd';
    t.is(error?.message, `${wanted}, got "${name}".`);
  }
});

test('a module takes nothing but the memory and gives nothing but functions', (t) => {
  forEachVariant(t, (module) => {
    t.deepEqual(WebAssembly.Module.imports(module), [
      { module: 'env', name: 'memory', kind: 'memory' },
    ]);
    const kinds = WebAssembly.Module.exports(module).map(({ kind }) => kind);
    t.deepEqual([...new Set(kinds)], ['function']);
  });
});

test('instances on one memory leave what stands in it', (t) => {
  forEachVariant(t, (module) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const words = new Int32Array(memory.buffer).fill(-7);
    createWasmKernels(module, memory, 'wasm-simd');
    createWasmKernels(module, memory, 'wasm-simd');
    t.true(words.every((word) => word === -7));
  });
});

test('operands may stand at the very end of a memory of 4 GiB', (t) => {
  forEachVariant(t, (module) => {
    const pages = 65_536;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const kernels = createWasmKernels(module, memory, 'wasm-simd');
    const [m, k, n] = [7, 5, 11];
    const end = (pages * PAGE_BYTES) / 4;
    const packed = end - kernels.packedLength(k, n);
    const c = packed - m * n;
    const a = c - m * k;
    const b = a - k * n;
    const reals = new Float32Array(memory.buffer, 4 * b);
    kernels.fill(b, c - b, 2);
    kernels.pack(b, n, 0, k, n, 0, k, 0, n, packed);
    kernels.multiply(a, k, packed, c, n, m, k, n, 0, 0, 0, 0);
    t.true(reals.subarray(c - b, packed - b).every((x) => x === 4 * k));
    kernels.copy(c, end - n, n);
    t.true(reals.subarray(-n).every((x) => x === 4 * k));
    t.is(kernels.sumOfSquares(end - n, n), n * (4 * k) ** 2);
  });
});
