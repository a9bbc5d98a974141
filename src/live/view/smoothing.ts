/** Exponential moving average over stretches of steps. Pure. */

/**
 * The mean over about the last `window` steps at each stretch, the first ones without a pull to zero. A stretch of several
 * steps weighs as much as they; null stays null and is passed over.
 */
export function smooth(
  values: readonly (number | null)[],
  steps: readonly number[],
  window: number,
): (number | null)[] {
  const decay = 1 - 1 / Math.max(1, window);
  let [sum, weight] = [0, 0];
  return values.map((value, i) => {
    if (value === null) return null;
    const kept = decay ** steps[i];
    sum = sum * kept + value * (1 - kept);
    weight = weight * kept + (1 - kept);
    return sum / weight;
  });
}
