/** How much arithmetic a step is. Pure. */
import { GATES, type ModelSpec } from './spec.ts';

/**
 * Floating-point operations of training on one token: forward and two products backward, 2 operations each, for every weight
 * that a token uses. The first layer's input weights are left out: they are computed once for each distinct id, so that
 * their work does not grow with the tokens. The embedding is a look-up.
 */
export function flopsPerToken({ cell, hidden, layers, vocabulary }: ModelSpec): number {
  const recurrent = layers * GATES[cell] * hidden * hidden;
  const input = (layers - 1) * GATES[cell] * hidden * hidden;
  return 3 * 2 * (recurrent + input + vocabulary * hidden);
}
