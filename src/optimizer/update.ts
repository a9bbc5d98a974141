/**
 * One optimizer step on a range of the parameter vector, from generation g into g+1. What changes from step to step is
 * plain data (`UpdateFactors`), computed once on the coordinator.
 */
import type { OptimizerKernels } from '../kernels/contract.ts';
import type { Offset } from '../memory/table.ts';

export interface OptimizerSettings {
  readonly optimizer: 'sgd' | 'adam' | 'adamw' | 'rmsprop';
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly alpha?: number;
  readonly epsilon?: number;
  readonly weightDecay: number;
  /** 0: off */
  readonly clipValue: number;
}

export interface UpdateFactors {
  /** Multiplies the summed gradient: clipScale / tokens. */
  gradientScale: number;
  learningRate: number;
  /** t: updates including this one, from 1. */
  updates: number;
}

/** First words of the range in both generations; `moments` in the order first, second. */
export interface UpdateRange {
  parameters: Offset;
  parametersNext: Offset;
  moments: readonly Offset[];
  momentsNext: readonly Offset[];
  gradient: Offset;
  length: number;
}

/** Vectors of optimizer state beside the parameters. */
export function momentCount({ optimizer, momentum }: OptimizerSettings): number {
  if (optimizer === 'sgd') return momentum ? 1 : 0;
  return optimizer === 'rmsprop' ? 1 : 2;
}

export function updateRange(
  kernels: OptimizerKernels,
  settings: OptimizerSettings,
  factors: UpdateFactors,
  range: UpdateRange,
): void {
  if (settings.optimizer === 'sgd') updateSgd(kernels, settings, factors, range);
  else if (settings.optimizer === 'rmsprop') updateRmsprop(kernels, settings, factors, range);
  else updateAdam(kernels, settings, factors, range);
}

function updateSgd(
  kernels: OptimizerKernels,
  { momentum, nesterov, weightDecay, clipValue }: OptimizerSettings,
  { gradientScale, learningRate }: UpdateFactors,
  { parameters, parametersNext, moments, momentsNext, gradient, length }: UpdateRange,
): void {
  kernels.sgd(
    parameters,
    parametersNext,
    moments[0] ?? 0,
    momentsNext[0] ?? 0,
    gradient,
    length,
    gradientScale,
    clipValue || Number.POSITIVE_INFINITY,
    learningRate,
    weightDecay,
    momentum ?? 0,
    nesterov ? 1 : 0,
  );
}

function updateRmsprop(
  kernels: OptimizerKernels,
  { alpha, epsilon, weightDecay, clipValue }: OptimizerSettings,
  { gradientScale, learningRate }: UpdateFactors,
  { parameters, parametersNext, moments, momentsNext, gradient, length }: UpdateRange,
): void {
  kernels.rmsprop(
    parameters,
    parametersNext,
    moments[0],
    momentsNext[0],
    gradient,
    length,
    gradientScale,
    clipValue || Number.POSITIVE_INFINITY,
    learningRate,
    alpha!,
    epsilon!,
    weightDecay,
  );
}

/** Adam adds the weight decay to the gradient; AdamW shrinks the parameters instead. */
function updateAdam(
  kernels: OptimizerKernels,
  { optimizer, beta1, beta2, epsilon, weightDecay, clipValue }: OptimizerSettings,
  { gradientScale, learningRate, updates }: UpdateFactors,
  { parameters, parametersNext, moments, momentsNext, gradient, length }: UpdateRange,
): void {
  const decoupled = optimizer === 'adamw';
  kernels.adam(
    parameters,
    parametersNext,
    moments[0],
    momentsNext[0],
    moments[1],
    momentsNext[1],
    gradient,
    length,
    gradientScale,
    clipValue || Number.POSITIVE_INFINITY,
    learningRate / (1 - beta1! ** updates),
    1 / Math.sqrt(1 - beta2! ** updates),
    beta1!,
    beta2!,
    epsilon!,
    decoupled ? 0 : weightDecay,
    decoupled ? 1 - learningRate * weightDecay : 1,
  );
}
