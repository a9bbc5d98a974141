/** Holds everything that a kernel computes against the reference. */
import { TrainingError } from '../errors.ts';
import { createKernels, type KernelChoice } from '../kernels/backend.ts';
import { normal } from '../kernels/mix.ts';
import { type ArenaViews, createArena, viewArena } from '../memory/arena.ts';
import { type ArenaTable, TableBuilder } from '../memory/table.ts';
import type { CaseSizes, KernelCase, PlacedCase } from './kernel-cases/case.ts';
import { SQUARES } from './kernel-cases/vectors.ts';

/** Rounding in float32 of sums as long as the cases have. */
const TOLERANCE = 1e-4;

const REFERENCE: KernelChoice = { backend: 'reference', variant: 'reference' };

export interface CheckedCase {
  placed: PlacedCase;
  reals: Float32Array;
  /** What stood in each of the results before the call. */
  operands: Float32Array[];
  /** Largest difference of any result from the reference, relative to the largest value of that result. */
  error: number;
}

/** Calls a kernel once. Throws TrainingError where it does not compute what the reference does. */
export function checkKernel(
  kernelCase: KernelCase,
  choice: KernelChoice,
  sizes: CaseSizes,
): CheckedCase {
  const wanted = runOnce(kernelCase, REFERENCE, sizes).results;
  const { placed, reals, operands, results } = runOnce(kernelCase, choice, sizes);
  const errors = results.map((values, i) => relativeError(values, wanted[i]));
  // NaN where one is.
  const error = Math.max(0, ...errors);
  if (!(error <= TOLERANCE)) {
    throw new TrainingError(
      `${choice.variant} ${kernelCase.name} differs from the reference by ${error}`,
    );
  }
  return { placed, reals, operands, error };
}

function runOnce(kernelCase: KernelCase, choice: KernelChoice, sizes: CaseSizes) {
  const { placed, reals } = placeCase(kernelCase, choice, sizes);
  const valuesNow = () =>
    placed.results.map(({ offset, length }) => reals.slice(offset, offset + length));
  const operands = valuesNow();
  const returned = placed.run();
  placed.reveal?.();
  const results = valuesNow();
  if (typeof returned === 'number') results.push(Float32Array.of(returned));
  return { placed, reals, operands, results };
}

/** A case on an arena of its own, ready to be called, with the same operands in every backend. */
export function placeCase(
  kernelCase: KernelCase,
  choice: KernelChoice,
  sizes: CaseSizes,
): ArenaViews & { placed: PlacedCase; table: ArenaTable } {
  const planning = new TableBuilder();
  kernelCase.place(planning, createKernels(choice, createArena(1)));
  const table = planning.build();
  const memory = createArena(table.words);
  const views = viewArena(memory);
  fillRegions(table, views, sizes);
  const placed = kernelCase.place(new TableBuilder(), createKernels(choice, memory));
  placed.prepare?.(views.ints);
  return { ...views, placed, table };
}

/** The same numbers in every backend: by the region's name and the element. */
function fillRegions(table: ArenaTable, { reals, ints }: ArenaViews, sizes: CaseSizes): void {
  for (const { name, type, offset, length } of table.regions) {
    if (name === 'packed' || name === 'scratch') continue;
    const key = [...name].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 7);
    for (let i = 0; i < length; i++) {
      if (type === 'int32') ints[offset + i] = (i * 7 + (i >> 3)) % sizes.vocabulary;
      else reals[offset + i] = name === SQUARES ? normal(key, i) ** 2 : normal(key, i);
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
