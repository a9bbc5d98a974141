/** Times every kernel of a backend on one thread, after its result has been held against the reference. */
import { type BenchKernelsSettings, benchKernelsSettings } from '../config/bench-settings.ts';
import { TrainingError } from '../errors.ts';
import { chooseKernels, createKernels, type KernelChoice } from '../kernels/backend.ts';
import { normal } from '../kernels/mix.ts';
import { createArena, viewArena } from '../memory/arena.ts';
import { type ArenaTable, TableBuilder } from '../memory/table.ts';
import type { CaseSizes, KernelCase, PlacedCase } from './kernel-cases/case.ts';
import { kernelCases } from './kernel-cases/cases.ts';
import { measurePeak, type Peak } from './peak.ts';

export interface KernelMeasurement {
  kernel: string;
  variant: string;
  /** Of one call: the fastest of many. */
  seconds: number;
  gflops?: number;
  gigabytesPerSecond?: number;
  /** Largest difference from the reference, relative to the largest value of the result; absent where forms differ. */
  error?: number;
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

function fastBackends(): KernelChoice[] {
  const fastest = chooseKernels('auto');
  return fastest.backend === 'wasm' ? [fastest] : [fastest, chooseKernels('wasm')];
}

/** Rounding in float32 of sums as long as the cases have. */
const TOLERANCE = 1e-4;

const REFERENCE: KernelChoice = { backend: 'reference', variant: 'reference' };

/** Throws TrainingError where a kernel does not compute what the reference does. */
export function measureKernels(
  sizes: CaseSizes,
  choice: KernelChoice,
  seconds: number,
): KernelMeasurement[] {
  return kernelCases(sizes).map((kernelCase) => measure(kernelCase, choice, sizes, seconds));
}

function measure(
  kernelCase: KernelCase,
  choice: KernelChoice,
  sizes: CaseSizes,
  seconds: number,
): KernelMeasurement {
  const { name, flops, bytes } = kernelCase;
  const wanted = runOnce(kernelCase, REFERENCE, sizes).result;
  const { result, placed } = runOnce(kernelCase, choice, sizes);
  const error = relativeError(result, wanted);
  if (!(error <= TOLERANCE)) {
    throw new TrainingError(`${choice.variant} ${name} differs from the reference by ${error}`);
  }
  const fastest = fastestCall(placed.run, seconds);
  return {
    kernel: name,
    variant: choice.variant,
    seconds: fastest,
    gflops: flops && flops / fastest / 1e9,
    gigabytesPerSecond: bytes && bytes / fastest / 1e9,
    error: placed.length > 0 ? error : undefined,
  };
}

function runOnce(kernelCase: KernelCase, choice: KernelChoice, sizes: CaseSizes) {
  const sizing = createKernels(choice, createArena(1));
  const planning = new TableBuilder();
  kernelCase.place(planning, sizing);
  const table = planning.build();
  const memory = createArena(table.words);
  const views = viewArena(memory);
  fillRegions(table, views.reals, views.ints, sizes);
  const placed: PlacedCase = kernelCase.place(new TableBuilder(), createKernels(choice, memory));
  placed.prepare?.(views.ints);
  placed.run();
  return { placed, result: views.reals.slice(placed.result, placed.result + placed.length) };
}

/** The same numbers in every backend: by the region's name and the element. */
function fillRegions(table: ArenaTable, reals: Float32Array, ints: Int32Array, sizes: CaseSizes) {
  for (const { name, type, offset, length } of table.regions) {
    if (name === 'packed' || name === 'scratch') continue;
    const key = [...name].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 7);
    for (let i = 0; i < length; i++) {
      if (type === 'int32') ints[offset + i] = (i * 7 + (i >> 3)) % sizes.vocabulary;
      // Second moments must not be negative.
      else reals[offset + i] = /^v\d/.test(name) ? Math.abs(normal(key, i)) : normal(key, i);
    }
  }
}

function relativeError(values: Float32Array, wanted: Float32Array): number {
  let largest = 1e-30;
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    largest = Math.max(largest, Math.abs(wanted[i]));
    difference = Math.max(difference, Math.abs(values[i] - wanted[i]));
  }
  return difference / largest;
}

/** Batches of calls, long enough for the clock; the fastest batch counts. */
function fastestCall(run: () => void, seconds: number): number {
  let calls = 1;
  while (timeOf(run, calls) < 1e-3) calls *= 2;
  const end = performance.now() + seconds * 1000;
  let fastest = Number.POSITIVE_INFINITY;
  while (performance.now() < end) fastest = Math.min(fastest, timeOf(run, calls) / calls);
  return fastest;
}

function timeOf(run: () => void, calls: number): number {
  const started = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - started) / 1000;
}
