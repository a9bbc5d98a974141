/** Of measured values. Pure. */

/** The mean of the two middle ones where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** The mean without the smallest and the largest tenth, which a disturbed machine makes; NaN of none. */
export function trimmedMean(values: readonly number[]): number {
  const dropped = Math.floor(values.length / 10);
  const kept = [...values].sort((a, b) => a - b).slice(dropped, values.length - dropped);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}
