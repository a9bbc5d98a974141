/**
 * The native backend: the C++ addon of workers/native on the arena, in place. Its functions are the
 * contract's own: a call goes straight from here into C++.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expected, InputError, messageOf } from '../errors.ts';
import type { Kernels } from './contract.ts';

/** Instruction sets the addon is compiled for, the fastest first. */
const PATHS = ['avx512', 'avx2'] as const;
type Path = (typeof PATHS)[number];

export type NativeVariant = `native-${Path}`;

export type NativeKernels =
  | { readonly available: true; readonly variant: NativeVariant }
  | { readonly available: false; readonly reason: string };

/** What workers/native/binding.cc exports. */
interface Addon {
  /** Absent in the first. */
  readonly contract?: number;
  /** What this processor can run, the fastest first. */
  readonly paths: readonly Path[];
  /** The kernels on the memory under the view, which they keep alive. */
  bind(memory: Uint8Array, path: Path): Omit<Kernels, 'backend' | 'variant'>;
}

/** The form of the contract that this code calls; CONTRACT in workers/native/kernels.h. */
const CONTRACT = 3;

/** The compiled module lies in dist/src/kernels. */
const ROOT = new URL('../../../', import.meta.url);
const ADDON_FILES = [
  new URL('build/Release/threadloom.node', ROOT),
  new URL(`prebuilds/${process.platform}-${process.arch}/threadloom.node`, ROOT),
];
/** Written by scripts/install-native.mjs where it built nothing. */
const REASON_FILE = new URL('build/native-unavailable.txt', ROOT);

/**
 * Whether the native backend can run here, and by which path: the fastest that the processor has, or the
 * one that THREADLOOM_NATIVE_PATH (avx512 or avx2) asks for. Throws InputError where that names no path.
 */
export function loadNativeKernels(): NativeKernels {
  const wanted = wantedPath();
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (error) {
    return { available: false, reason: messageOf(error) };
  }
  const path = wanted ?? addon.paths[0];
  if (!path)
    return { available: false, reason: 'this processor has neither AVX-512 nor AVX2 with FMA' };
  if (!addon.paths.includes(path)) {
    return {
      available: false,
      reason: `THREADLOOM_NATIVE_PATH asks for ${path}, which this processor does not have`,
    };
  }
  return { available: true, variant: `native-${path}` };
}

/**
 * Every path that can run here, the fastest first: all that the processor has, or the one that
 * THREADLOOM_NATIVE_PATH asks for; none where the native backend cannot run.
 */
export function nativeVariants(): NativeVariant[] {
  const native = loadNativeKernels();
  if (!native.available) return [];
  if (wantedPath()) return [native.variant];
  return loadAddon().paths.map((path): NativeVariant => `native-${path}`);
}

/**
 * The kernels on an arena, for the thread that calls; `variant` is what `loadNativeKernels` gave, in this
 * thread or another of the process. Throws where the addon cannot be loaded or the processor lacks the
 * path.
 */
export function createNativeKernels(memory: WebAssembly.Memory, variant: NativeVariant): Kernels {
  const path = PATHS.find((each) => variant === `native-${each}`);
  if (!path) throw new InputError(expected('the variant native-avx512 or native-avx2', variant));
  const kernels = loadAddon().bind(new Uint8Array(memory.buffer), path);
  return { backend: 'native', variant, ...kernels };
}

function wantedPath(): Path | undefined {
  const wanted = process.env.THREADLOOM_NATIVE_PATH;
  if (wanted === undefined || wanted === '') return undefined;
  const path = PATHS.find((each) => each === wanted);
  if (path) return path;
  const remedy = 'Leave it unset to take the fastest path of this processor.';
  throw new InputError(expected('THREADLOOM_NATIVE_PATH to be avx512 or avx2', wanted, remedy));
}

/** The first addon that can be used. Throws an error that says why there is none. Node caches what was loaded. */
function loadAddon(): Addon {
  const reasons: string[] = [];
  for (const file of ADDON_FILES.filter((each) => existsSync(each))) {
    try {
      return checked(createRequire(import.meta.url)(fileURLToPath(file)));
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  if (existsSync(REASON_FILE)) reasons.push(readFileSync(REASON_FILE, 'utf8').trim());
  if (reasons.length === 0)
    reasons.push('the addon was not built (node scripts/install-native.mjs builds it)');
  throw new Error(reasons.join('; '));
}

/** Throws where the addon is of another form: its functions would take the arguments for others. */
function checked(addon: Addon): Addon {
  if (addon.contract === CONTRACT) return addon;
  throw new Error(
    `the addon was built for other code (contract ${addon.contract ?? 1}, not ${CONTRACT}; node scripts/install-native.mjs builds it anew)`,
  );
}
