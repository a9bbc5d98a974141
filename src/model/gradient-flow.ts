/**
 * How gradients flow back through a chunk, read off a network's workspace: Pascanu, Mikolov & Bengio 2013 look at the same
 * derivatives to tell vanishing from exploding. Pure.
 */
import type { VectorKernels } from '../kernels/contract.ts';
import type { Offset } from '../memory/table.ts';
import type { Nonlinearity } from './cells/cell.ts';
import type { Chunk, NetworkContext } from './layers/context.ts';

export interface LagNorm {
  /** The first of a bucket of lags: [0], [1], [2, 3], [4 … 7] … */
  lag: number;
  /** Mean over the bucket. */
  norm: number;
}

export interface GateShare {
  gate: string;
  /** Of the activations within 0.05 of a bound of the nonlinearity; of a ReLU's, those that are 0. */
  share: number;
}

export interface LayerFlow {
  normByLag: LagNorm[];
  saturation: GateShare[];
}

/** How near to a bound an activation is saturated: its slope is then at most a fifth of the greatest there is. */
const NEAR = 0.05;

/**
 * ‖∂ℓ/∂h₍T−k₎‖, root mean square over the rows, from `dHidden` (T+1, R, H), which holds ∂ℓ/∂h of the states 1 … T. In
 * float64.
 */
export function normsByLag(
  kernels: VectorKernels,
  { times, rows }: Pick<Chunk, 'times' | 'rows'>,
  hidden: number,
  dHidden: Offset,
): LagNorm[] {
  const words = rows * hidden;
  const normAt = (lag: number) =>
    Math.sqrt(kernels.sumOfSquares(dHidden + (times - lag) * words, words) / rows);
  const norms: LagNorm[] = [];
  for (let lag = 0; lag < times; lag = Math.max(1, 2 * lag)) {
    const end = Math.min(times, Math.max(1, 2 * lag));
    let sum = 0;
    for (let k = lag; k < end; k++) sum += normAt(k);
    norms.push({ lag, norm: sum / (end - lag) });
  }
  return norms;
}

/** Of each gate over all time steps, rows and units, from the activations that forward has left in the workspace. */
export function saturationOf(
  { spec, cell, shard, reals }: Pick<NetworkContext, 'spec' | 'cell' | 'shard' | 'reals'>,
  { times, rows }: Pick<Chunk, 'times' | 'rows'>,
  layer: number,
): GateShare[] {
  const { hidden } = spec;
  const { gates, hidden: states } = shard.layers[layer];
  // A cell of one gate leaves its activations in the states alone.
  const inStates = cell.gates === 1;
  const start = inStates ? states + rows * hidden : gates;
  const stride = inStates ? hidden : cell.gateColumns * hidden;
  return cell.activations.map(({ gate, nonlinearity }, column) => {
    const bounds = UNSATURATED[nonlinearity];
    let count = 0;
    for (let row = 0; row < times * rows; row++) {
      count += countOutside(reals, start + row * stride + column * hidden, hidden, bounds);
    }
    return { gate, share: count / (times * rows * hidden) };
  });
}

/** The activations between both are not saturated. */
interface Bounds {
  low: number;
  high: number;
}

const UNSATURATED: Readonly<Record<Nonlinearity, Bounds>> = {
  sigmoid: { low: NEAR, high: 1 - NEAR },
  tanh: { low: NEAR - 1, high: 1 - NEAR },
  relu: { low: 0, high: Infinity },
};

/** A small loop that is soon compiled: a function called for each activation took two thirds of a look. */
function countOutside(
  reals: NetworkContext['reals'],
  start: number,
  length: number,
  { low, high }: Bounds,
): number {
  let count = 0;
  for (let i = start; i < start + length; i++) {
    const activation = reals[i];
    if (activation <= low || activation >= high) count++;
  }
  return count;
}
