/** Parameter updates, one element at a time. */
import type { OptimizerKernels } from '../contract.ts';
import type { Reals } from './rounding.ts';

export function optimizerKernels(reals: Reals): OptimizerKernels {
  return {
    sgd(
      parameters,
      parametersNext,
      velocity,
      velocityNext,
      gradient,
      n,
      gradientScale,
      clipValue,
      learningRate,
      weightDecay,
      momentum,
      nesterov,
    ) {
      for (let i = 0; i < n; i++) {
        const w = reals[parameters + i];
        const g = clip(gradientScale * reals[gradient + i], clipValue) + weightDecay * w;
        let step = g;
        if (momentum !== 0) {
          const v = momentum * reals[velocity + i] + g;
          reals[velocityNext + i] = v;
          step = nesterov ? g + momentum * v : v;
        }
        reals[parametersNext + i] = w - learningRate * step;
      }
    },
    adam(
      parameters,
      parametersNext,
      first,
      firstNext,
      second,
      secondNext,
      gradient,
      n,
      gradientScale,
      clipValue,
      stepSize,
      inverseRootCorrection,
      beta1,
      beta2,
      epsilon,
      weightDecay,
      decay,
    ) {
      for (let i = 0; i < n; i++) {
        const w = reals[parameters + i];
        const g = clip(gradientScale * reals[gradient + i], clipValue) + weightDecay * w;
        const m = beta1 * reals[first + i] + (1 - beta1) * g;
        const v = beta2 * reals[second + i] + (1 - beta2) * g * g;
        reals[firstNext + i] = m;
        reals[secondNext + i] = v;
        reals[parametersNext + i] =
          decay * w - (stepSize * m) / (Math.sqrt(v) * inverseRootCorrection + epsilon);
      }
    },
    rmsprop(
      parameters,
      parametersNext,
      second,
      secondNext,
      gradient,
      n,
      gradientScale,
      clipValue,
      learningRate,
      alpha,
      epsilon,
      weightDecay,
    ) {
      for (let i = 0; i < n; i++) {
        const w = reals[parameters + i];
        const g = clip(gradientScale * reals[gradient + i], clipValue) + weightDecay * w;
        const v = alpha * reals[second + i] + (1 - alpha) * g * g;
        reals[secondNext + i] = v;
        reals[parametersNext + i] = w - (learningRate * g) / (Math.sqrt(v) + epsilon);
      }
    },
  };
}

/** clamp(x, ±limit); NaN stays NaN. */
function clip(x: number, limit: number): number {
  return x > limit ? limit : Math.max(x, -limit);
}
