/**
 * The wasm backend: the kernels of workers/wasm in the arena's own memory, with fused multiply-add
 * where the engine has relaxed SIMD. Compiled once on the main thread; module and variant pass to
 * every thread.
 */
import { readFileSync } from 'node:fs';
import v8 from 'node:v8';
import { expected, InputError } from '../errors.ts';
import type { Kernels } from './contract.ts';

export type WasmVariant = 'wasm-simd' | 'wasm-relaxed-simd';

export interface CompiledWasmKernels {
  module: WebAssembly.Module;
  variant: WasmVariant;
}

/** Takes one variant instead of the best the engine has. */
const VARIANT_VARIABLE = 'THREADLOOM_WASM_VARIANT';
const VARIANTS: Readonly<Record<string, WasmVariant>> = {
  simd: 'wasm-simd',
  'relaxed-simd': 'wasm-relaxed-simd',
};

/** V8 has relaxed SIMD by default from 11.4 on, and knew this flag before. */
const RELAXED_SIMD_FLAG = '--experimental-wasm-relaxed-simd';

/**
 * Reads and compiles the fastest build that the engine accepts, or the one that
 * THREADLOOM_WASM_VARIANT (`simd` or `relaxed-simd`) asks for. Must run before the threads start
 * that will use the module. Throws InputError where the variable names no variant or one that the
 * engine does not have.
 */
export function compileWasmKernels(): CompiledWasmKernels {
  const wanted = wantedVariant();
  if (wanted !== 'wasm-simd') {
    const bytes = readBuild('kernels-relaxed.wasm');
    if (acceptsRelaxedSimd(bytes)) {
      return { module: new WebAssembly.Module(bytes), variant: 'wasm-relaxed-simd' };
    }
    if (wanted) {
      throw new InputError(
        expected('an engine with relaxed SIMD', process.version, `Unset ${VARIANT_VARIABLE}.`),
      );
    }
  }
  return { module: new WebAssembly.Module(readBuild('kernels.wasm')), variant: 'wasm-simd' };
}

/** Binds the kernels to a memory; the operations are the module's functions themselves. */
export function createWasmKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  variant: WasmVariant,
): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const operations = instance.exports as unknown as Omit<
    Kernels,
    'backend' | 'variant' | 'panelColumns'
  >;
  return {
    ...operations,
    backend: 'wasm',
    variant,
    // A matrix of one element takes one row of one panel.
    panelColumns: operations.packedLength(1, 1),
  };
}

function wantedVariant(): WasmVariant | undefined {
  const name = process.env[VARIANT_VARIABLE];
  if (name === undefined) return undefined;
  if (Object.hasOwn(VARIANTS, name)) return VARIANTS[name];
  throw new InputError(
    expected(`${VARIANT_VARIABLE} to be one of ${Object.keys(VARIANTS).join(', ')}`, name),
  );
}

function readBuild(file: string): Buffer<ArrayBuffer> {
  return readFileSync(new URL(`../../workers/wasm/${file}`, import.meta.url));
}

function acceptsRelaxedSimd(bytes: Buffer<ArrayBuffer>): boolean {
  if (WebAssembly.validate(bytes)) return true;
  if (Number.parseInt(process.versions.v8, 10) >= 12) return false;
  v8.setFlagsFromString(RELAXED_SIMD_FLAG);
  return WebAssembly.validate(bytes);
}
