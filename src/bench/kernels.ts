/** Times every kernel of a backend on one thread, after its result has been held against the reference. */
import { type BenchKernelsSettings, benchKernelsSettings } from '../config/bench-settings.ts';
import { chooseKernels, type KernelChoice } from '../kernels/backend.ts';
import { nativeVariants } from '../kernels/native.ts';
import type { CaseSizes, KernelCase } from './kernel-cases/case.ts';
import { kernelCases } from './kernel-cases/cases.ts';
import { checkKernel } from './kernel-check.ts';
import { measurePeak, type Peak } from './peak.ts';

export interface KernelMeasurement {
  kernel: string;
  variant: string;
  /** Of one call: the fastest of many. */
  seconds: number;
  gflops?: number;
  gigabytesPerSecond?: number;
  /** Largest difference of any result from the reference, relative to the largest value of that result. */
  error: number;
}

export interface KernelsBenchmark {
  /** Of one thread. */
  peak: Peak;
  measurements: KernelMeasurement[];
}

/** Every backend that is asked for. Throws InputError for settings that cannot work. */
export async function benchmarkKernels(settings: BenchKernelsSettings): Promise<KernelsBenchmark> {
  const { hidden, batch, chunk, vocab, backend, seconds } = benchKernelsSettings.parse(settings);
  const lanes = [4, 2, 1].find((count) => batch % count === 0)!;
  const sizes = { rows: batch, times: chunk, hidden, vocabulary: vocab, lanes };
  const choices = backend === 'all' ? fastBackends() : [chooseKernels(backend)];
  const peak = await measurePeak(1);
  return {
    peak,
    measurements: choices.flatMap((choice) => measureKernels(sizes, choice, seconds)),
  };
}

/** Each native path of this processor, then wasm. */
function fastBackends(): KernelChoice[] {
  const native = nativeVariants().map((variant) => ({ backend: 'native', variant }) as const);
  return [...native, chooseKernels('wasm')];
}

function measureKernels(
  sizes: CaseSizes,
  choice: KernelChoice,
  seconds: number,
): KernelMeasurement[] {
  return kernelCases(sizes).map((kernelCase) => measureKernel(kernelCase, choice, sizes, seconds));
}

/** Throws TrainingError where a kernel does not compute what the reference does. */
export function measureKernel(
  kernelCase: KernelCase,
  choice: KernelChoice,
  sizes: CaseSizes,
  seconds: number,
): KernelMeasurement {
  const { name, flops, bytes } = kernelCase;
  const { error, placed, reals, operands } = checkKernel(kernelCase, choice, sizes);
  const restore = () => {
    for (const [i, { offset }] of placed.results.entries()) reals.set(operands[i], offset);
  };
  const fastest = placed.inPlace
    ? fastestSingleCall(placed.run, restore, seconds)
    : fastestCall(placed.run, seconds);
  return {
    kernel: name,
    variant: choice.variant,
    seconds: fastest,
    gflops: flops && flops / fastest / 1e9,
    gigabytesPerSecond: bytes && bytes / fastest / 1e9,
    error,
  };
}

/** Batches of calls, long enough for the clock; the fastest batch counts. */
function fastestCall(run: () => unknown, seconds: number): number {
  let calls = 1;
  while (timeOf(run, calls) < 1e-3) calls *= 2;
  const end = performance.now() + seconds * 1000;
  let fastest = Number.POSITIVE_INFINITY;
  do {
    fastest = Math.min(fastest, timeOf(run, calls) / calls);
  } while (performance.now() < end);
  return fastest;
}

/** One call at a time, each on the same operands: on its own results numbers would fade to ones that cost more. */
function fastestSingleCall(run: () => unknown, restore: () => void, seconds: number): number {
  const end = performance.now() + seconds * 1000;
  let fastest = Number.POSITIVE_INFINITY;
  do {
    restore();
    fastest = Math.min(fastest, timeOf(run, 1));
  } while (performance.now() < end);
  return fastest;
}

function timeOf(run: () => unknown, calls: number): number {
  const started = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - started) / 1000;
}
