/** Every kernel at the sizes that a layer of H units gives it. */
import type { CaseSizes, KernelCase } from './case.ts';
import { cellCases } from './cells.ts';
import { matrixCases } from './matrix.ts';
import { tokenCases } from './tokens.ts';
import { vectorCases } from './vectors.ts';

export function kernelCases(sizes: CaseSizes): KernelCase[] {
  return [...matrixCases(sizes), ...cellCases(sizes), ...tokenCases(sizes), ...vectorCases(sizes)];
}
