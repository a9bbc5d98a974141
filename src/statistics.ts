/** Of measured values. Pure. */

/** The mean of the two middle ones where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/**
 * The mean without the smallest and the largest tenth, which a disturbed machine makes, and the standard error of the mean of
 * what is kept; NaN of none.
 */
export function trimmedMean(values: readonly number[]): { mean: number; error: number } {
  const dropped = Math.floor(values.length / 10);
  const kept = [...values].sort((a, b) => a - b).slice(dropped, values.length - dropped);
  const mean = meanOf(kept);
  const variance = meanOf(kept.map((value) => (value - mean) ** 2));
  return { mean, error: Math.sqrt(variance / Math.max(1, kept.length - 1)) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
