/** The learning rate of a step. Pure. */

export interface Schedule {
  readonly schedule: 'constant' | 'cosine' | 'step';
  readonly lr: number;
  /** Steps of linear rise. */
  readonly warmup: number;
  readonly decayEvery?: number;
  readonly decayFactor?: number;
}

/**
 * Learning rate of step `step` (from 0) of `horizon` steps. Warm-up: lr·(step+1)/warmup; then constant, lr·½(1 + cos πp)
 * (Loshchilov & Hutter 2017) with p the share done of what follows the warm-up, or lr·decayFactor^⌊steps since / decayEvery⌋.
 * `timeShare` is the share of a time limit that has passed: p is never behind it.
 */
export function learningRate(s: Schedule, step: number, horizon: number, timeShare = 0): number {
  if (step < s.warmup) return (s.lr * (step + 1)) / s.warmup;
  const since = step - s.warmup;
  if (s.schedule === 'cosine') {
    const share = since / Math.max(1, horizon - s.warmup);
    const progress = Math.min(1, Math.max(share, timeShare));
    return s.lr * 0.5 * (1 + Math.cos(Math.PI * progress));
  }
  if (s.schedule === 'step') return s.lr * s.decayFactor! ** Math.floor(since / s.decayEvery!);
  return s.lr;
}
