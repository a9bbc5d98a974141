/** Figures that alerts are made from. Pure. */

import { STEP_PHASES } from '../metrics/catalogue.ts';
import { median } from '../statistics.ts';
import type { GradientsPoint, Point } from './protocol.ts';
import { THRESHOLDS } from './thresholds.ts';

/** The last points that make up what counts as now; none before there has been so much, or where their time is not known. */
export function recentPoints(points: readonly Point[]): readonly Point[] {
  let [seconds, steps] = [0, 0];
  for (let i = points.length - 1; i >= 0 && points[i].time !== null; i--) {
    steps += points[i].steps;
    seconds += points[i].steps * stepSeconds(points[i]);
    if (steps >= THRESHOLDS.recentSteps && seconds >= THRESHOLDS.recentSeconds) {
      return points.slice(i);
    }
  }
  return [];
}

/** 0 for none. */
export function meanStepSeconds(points: readonly Point[]): number {
  const total = sum(points, (point) => point.steps * stepSeconds(point));
  return points.length === 0 ? 0 : total / sum(points, ({ steps }) => steps);
}

/** With what came before it, such as a validation. */
export function slowestStepSeconds(points: readonly Point[]): number {
  return Math.max(0, ...points.map(stepSeconds));
}

/** Share of the time of the steps, without what lies between them, that waits for text; 0 for no points. */
export function loadShare(points: readonly Point[], phases: readonly string[]): number {
  const secondsIn = (phase: string) => {
    const index = phases.indexOf(phase);
    return sum(points, ({ steps, phaseSeconds }) => steps * (phaseSeconds[index] ?? 0));
  };
  const total = sum(STEP_PHASES, secondsIn);
  return total > 0 ? secondsIn('load') / total : 0;
}

/** For how many steps the smoothed loss has been above a bound, which lies far above its lowest value. */
export function stepsAboveLowestLoss(points: readonly Point[]): {
  steps: number;
  bound: number;
  lowest: number;
} {
  const { divergingRatio, divergingNats } = THRESHOLDS;
  let smoothed = Number.NaN;
  let lowest = Number.POSITIVE_INFINITY;
  let bound = Number.POSITIVE_INFINITY;
  let steps = 0;
  for (const { loss, steps: stretch } of points) {
    if (loss === null) continue;
    const share = 1 - Math.exp(-stretch / THRESHOLDS.smoothingSteps);
    smoothed = Number.isNaN(smoothed) ? loss : smoothed + (loss - smoothed) * share;
    lowest = Math.min(lowest, smoothed);
    bound = Math.max(lowest * divergingRatio, lowest + divergingNats);
    steps = smoothed > bound ? steps + stretch : 0;
  }
  return { steps, bound, lowest };
}

/** Whether the highest norm of the `recent` points lies far above the median of all. */
export function hasExplodingNorm(points: readonly Point[], recent: readonly Point[]): boolean {
  if (sum(points, ({ steps }) => steps) < THRESHOLDS.explodingMinimumSteps) return false;
  let highest = 0;
  for (const { highestGradNorm } of recent) highest = Math.max(highest, highestGradNorm ?? 0);
  const isFarAbove = (norm: number) => highest > THRESHOLDS.explodingNormRatio * norm;
  // Where it is far above none, it is not far above the median either, which takes longer to find.
  if (!points.some(({ gradNorm }) => gradNorm !== null && isFarAbove(gradNorm))) return false;
  const middle = median(points.flatMap(({ gradNorm }) => gradNorm ?? []));
  return middle > 0 && isFarAbove(middle);
}

export interface LagRatio {
  layer: string;
  lag: number;
  /** Norm at the lag, in units of that at lag 0; infinite where it was not finite. */
  ratio: number;
}

/** The first layer, and lag, whose gradient is nearly gone: what lies as far back, or farther, reaches no deeper. */
export function vanishingLayer(gradients: GradientsPoint | undefined): LagRatio | undefined {
  return ratiosByLayer(gradients)
    .flat()
    .find(({ ratio }) => ratio < THRESHOLDS.vanishingRatio);
}

/** The first layer, and lag, where the gradient has grown far beyond that of lag 0. */
export function explodingLayer(gradients: GradientsPoint | undefined): LagRatio | undefined {
  return ratiosByLayer(gradients)
    .flat()
    .find(({ ratio }) => ratio > THRESHOLDS.explodingLagRatio);
}

/** Of the lags above 0, ascending. */
function ratiosByLayer(gradients: GradientsPoint | undefined): LagRatio[][] {
  const layers = gradients?.layers ?? [];
  return layers.map(({ layer, normByLag: [first, ...others] = [] }) => {
    const here = first?.lag === 0 ? (first.norm ?? 0) : 0;
    if (here === 0) return [];
    return others.map(({ lag, norm }) => ({
      layer,
      lag,
      ratio: norm === null ? Number.POSITIVE_INFINITY : norm / here,
    }));
  });
}

/** The busiest worker, where it is far busier than the median one. */
export function slowestWorker(points: readonly Point[]): number | undefined {
  const newest = points.findLast(({ busyShares }) => busyShares.length > 1);
  if (!newest) return;
  // A run may have gone on with more workers or fewer.
  const known = points.filter(({ busyShares }) => busyShares.length === newest.busyShares.length);
  const steps = sum(known, (point) => point.steps);
  const shares = newest.busyShares.map(
    (_, worker) => sum(known, (point) => point.steps * point.busyShares[worker]) / steps,
  );
  const share = Math.max(...shares);
  const middle = median(shares);
  const { stragglerRatio, stragglerShare } = THRESHOLDS;
  if (share <= stragglerRatio * middle || share - middle <= stragglerShare) return;
  return shares.indexOf(share);
}

function stepSeconds({ phaseSeconds }: Point): number {
  return sum(phaseSeconds, (seconds) => seconds);
}

/** By index, since an iterator, and `reduce`, make an object of each number: once a second all points of a run are looked at. */
function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  let total = 0;
  for (let i = 0; i < items.length; i++) total += value(items[i]);
  return total;
}
