/** Whether a measured quantity grows: a straight line through its samples, with the error of its slope. Pure. */

export interface Trend {
  mean: number;
  /** Change of y for each 1 of x. */
  slope: number;
  /** Standard error of the slope, wider where neighbouring samples resemble each other. */
  error: number;
}

/**
 * Least squares over (x, y), three samples or more. Samples of memory are a sawtooth, not independent: the usual error is
 * widened by √((1+r)/(1−r)), r the correlation of neighbouring residuals (an AR(1) process; von Storch & Zwiers 1999, 6.6.9).
 */
export function fitTrend(x: readonly number[], y: readonly number[]): Trend {
  const meanX = mean(x);
  const meanY = mean(y);
  const squares = sum(x.map((value) => (value - meanX) ** 2));
  const slope = sum(x.map((value, i) => (value - meanX) * (y[i] - meanY))) / squares;
  const residuals = y.map((value, i) => value - meanY - slope * (x[i] - meanX));
  const variance = sum(residuals.map((value) => value ** 2));
  const neighbours = sum(residuals.slice(1).map((value, i) => value * residuals[i]));
  const r = variance === 0 ? 0 : Math.min(0.99, Math.max(0, neighbours / variance));
  const error = Math.sqrt(((variance / (x.length - 2)) * (1 + r)) / ((1 - r) * squares));
  return { mean: meanY, slope, error };
}

/** Enough for a line, and each long enough that what the memory of a process does for a while is over within it. */
const BATCHES = 20;

/**
 * The trend of samples that resemble each other for long, beyond their neighbours, as memory that wanders does: the line
 * through the means of 20 stretches, whose scatter tells its error (batch means; Law & Kelton 2000, 9.5.3). As many samples or
 * more.
 */
export function fitWandering(x: readonly number[], y: readonly number[]): Trend {
  const means = (values: readonly number[]) =>
    Array.from({ length: BATCHES }, (_, i) =>
      mean(values.slice(startOf(i, values.length), startOf(i + 1, values.length))),
    );
  return fitTrend(means(x), means(y));
}

function startOf(batch: number, samples: number): number {
  return Math.floor((batch * samples) / BATCHES);
}

/** A slope three standard errors above zero that is worth the name: at least `least`. */
export function grows({ slope, error }: Trend, least: number): boolean {
  return slope > least && slope > 3 * error;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
