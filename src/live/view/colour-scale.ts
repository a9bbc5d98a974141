/** Perceptually uniform colours for a heatmap on a logarithmic scale. Pure. */

export type Colour = readonly [red: number, green: number, blue: number];

/** Nine even samples of viridis (van der Walt and Smith, matplotlib, CC0), between which is interpolated. */
const VIRIDIS: readonly Colour[] = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];
/** Below that much of the highest value all is shown alike. */
const MOST_DECADES = 8;

/** From 0 (dark blue) to 1 (yellow); what lies beyond is shown as the end. */
export function viridis(share: number): Colour {
  const place = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = Math.min(VIRIDIS.length - 2, Math.floor(place));
  const [from, to] = [VIRIDIS[low], VIRIDIS[low + 1]];
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (place - low));
  return [mix(0), mix(1), mix(2)];
}

export interface LogScale {
  low: number;
  high: number;
  /** Place of a value on the scale, 0 to 1; undefined for one that has no logarithm. */
  shareOf(value: number): number | undefined;
}

/** A logarithmic scale over the positive values; at least one decade, at most eight. */
export function logScale(values: Iterable<number>): LogScale {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const value of values) {
    if (!(value > 0) || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === 0) [low, high] = [0.1, 1];
  low = Math.max(high / 10 ** MOST_DECADES, Math.min(low, high / 10));
  const decades = Math.log10(high / low);
  return {
    low,
    high,
    shareOf: (value) =>
      value > 0 && Number.isFinite(value)
        ? Math.min(1, Math.max(0, Math.log10(value / low) / decades))
        : undefined,
  };
}
