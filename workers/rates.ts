/** What one thread can do at the machine's limit, measured. */
import type { PeakKernels } from '../src/kernels/contract.ts';

/** Operations a second of multiply-adds in registers. */
export function multiplyAddRate(kernels: PeakKernels, seconds: number): number {
  return rateOver(seconds, () => kernels.multiplyAddLoop(100_000));
}

/** Bytes a second, read and written, of copying more than the caches hold. */
export function copyRate(seconds: number): number {
  const source = new Float32Array(2 ** 24).fill(1);
  const target = new Float32Array(source.length);
  return rateOver(seconds, () => {
    target.set(source);
    return 2 * source.byteLength;
  });
}

/** Work a second of `run`, which returns how much it did, once it has run for so long. */
function rateOver(seconds: number, run: () => number): number {
  run();
  const started = performance.now();
  let work = 0;
  let elapsed = 0;
  while (elapsed < seconds) {
    work += run();
    elapsed = (performance.now() - started) / 1000;
  }
  return work / elapsed;
}
