/** The native paths that the tests run on: each that this processor has; none where the addon was not built. */
import {
  loadNativeKernels,
  type NativeKernels,
  type NativeVariant,
  nativeVariants,
} from '../../src/kernels/native.ts';

/**
 * Throws where NATIVE_TESTS is `required` and there are no native kernels, though the processor has a path for them. Else a build
 * that broke would look like a machine without a compiler: all their tests left out, and the rest done.
 */
export function checkRequired(native: NativeKernels, required: string | undefined): void {
  if (required !== 'required' || native.available) return;
  if (native.reason.startsWith('this processor has neither')) return;
  throw new Error(`Expected native kernels, as NATIVE_TESTS is "required": ${native.reason}.`);
}

checkRequired(loadNativeKernels(), process.env.NATIVE_TESTS);
export const NATIVE_VARIANTS: readonly NativeVariant[] = nativeVariants();

/** Has a variant chosen wherever native kernels are asked for, until the function that is returned is called. */
export function forceNative(variant: NativeVariant): () => void {
  process.env.THREADLOOM_NATIVE_PATH = variant.replace('native-', '');
  return () => {
    delete process.env.THREADLOOM_NATIVE_PATH;
  };
}
