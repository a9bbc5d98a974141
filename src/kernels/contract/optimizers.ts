/** The optimizers’ updates. Part of the kernel contract (../contract.ts). */
import type { Offset } from '../../memory/table.ts';

/**
 * Updates from generation g (`parameters`, first and second moment) into generation g+1 (`…Next`); never in place.
 * The gradient used is clamp(gradientScale · gradient, ±clipValue); NaN stays NaN. clipValue may be Infinity.
 * `weightDecay` is added to the gradient as weightDecay · parameter (L2, after the clamp).
 */
export interface OptimizerKernels {
  /** Without momentum (momentum 0, velocity offsets 0): w' = w − lr·g. Else v' = momentum·v + g; w' = w − lr·(nesterov ? g + momentum·v' : v'). torch.optim.SGD. */
  sgd(
    parameters: Offset,
    parametersNext: Offset,
    velocity: Offset,
    velocityNext: Offset,
    gradient: Offset,
    n: number,
    gradientScale: number,
    clipValue: number,
    learningRate: number,
    weightDecay: number,
    momentum: number,
    nesterov: 0 | 1,
  ): void;
  /**
   * m' = β₁m + (1−β₁)g; v' = β₂v + (1−β₂)g²; w' = decay·w − stepSize · m' / (√v' · inverseRootCorrection + ε).
   * stepSize = lr / (1 − β₁ᵗ); inverseRootCorrection = 1/√(1 − β₂ᵗ); decay = 1 − lr·λ for AdamW, else 1.
   * Kingma & Ba 2015; Loshchilov & Hutter 2019; torch.optim.Adam and AdamW.
   */
  adam(
    parameters: Offset,
    parametersNext: Offset,
    first: Offset,
    firstNext: Offset,
    second: Offset,
    secondNext: Offset,
    gradient: Offset,
    n: number,
    gradientScale: number,
    clipValue: number,
    stepSize: number,
    inverseRootCorrection: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    decay: number,
  ): void;
  /** v' = αv + (1−α)g²; w' = w − lr·g / (√v' + ε). Tieleman & Hinton 2012; torch.optim.RMSprop. */
  rmsprop(
    parameters: Offset,
    parametersNext: Offset,
    second: Offset,
    secondNext: Offset,
    gradient: Offset,
    n: number,
    gradientScale: number,
    clipValue: number,
    learningRate: number,
    alpha: number,
    epsilon: number,
    weightDecay: number,
  ): void;
}
