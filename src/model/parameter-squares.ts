/** How large a parameter, its gradient and its last update are. Pure. */
import type { VectorKernels } from '../kernels/contract.ts';
import type { Offset } from '../memory/table.ts';
import type { Parameter } from './parameters.ts';

/** Sums of squares, in float64. */
export interface ParameterSquares {
  gradient: number;
  /** Of the parameter before the update. */
  weights: number;
  update: number;
}

/** First words of the gradient and of two generations of the parameter vector. */
export interface ParameterPlaces {
  gradient: Offset;
  before: Offset;
  after: Offset;
}

export function squaresOf(
  kernels: VectorKernels,
  reals: Float32Array,
  { start, length }: Parameter,
  { gradient, before, after }: ParameterPlaces,
): ParameterSquares {
  let update = 0;
  for (let i = start; i < start + length; i++) {
    const difference = reals[after + i] - reals[before + i];
    update += difference * difference;
  }
  return {
    gradient: kernels.sumOfSquares(gradient + start, length),
    weights: kernels.sumOfSquares(before + start, length),
    update,
  };
}
