/** The curve of a run as stretches of steps. Pure: the page joins points as the run does. */
import { EvenSeries } from './even-series.ts';
import type { Point } from './protocol.ts';

/** Points of a history: as many as a wide screen has columns. */
export const MAX_POINTS = 2000;
export const MAX_BUSY_SHARES = 64;

/** All steps of a run in at most `limit` points. */
export class PointSeries {
  readonly #series: EvenSeries<Point>;

  constructor(limit = MAX_POINTS) {
    this.#series = new EvenSeries(limit, joinPoints);
  }

  /** Ascending; the newest as it was added. */
  get points(): readonly Point[] {
    return this.#series.items;
  }

  add(point: Point): void {
    this.#series.add(point, point.steps);
  }

  /** Of the same steps. */
  replaceNewest(point: Point): void {
    this.#series.replaceNewest(point);
  }
}

/**
 * Two neighbouring stretches as one: sums, bounds, and means over the steps, of busy shares over the time. A mean is null where it is in one of the two; the
 * learning rate and the time are those of the end.
 */
export function joinPoints(earlier: Point, later: Point): Point {
  const steps = earlier.steps + later.steps;
  const share = later.steps / steps;
  const [earlierSeconds, laterSeconds] = [secondsOf(earlier), secondsOf(later)];
  return {
    step: later.step,
    steps,
    tokens: later.tokens,
    time: later.time,
    loss: meanOrNull(earlier.loss, later.loss, share),
    lowestLoss: lowest(earlier.lowestLoss, later.lowestLoss),
    highestLoss: highest(earlier.highestLoss, later.highestLoss),
    gradNorm: meanOrNull(earlier.gradNorm, later.gradNorm, share),
    highestGradNorm: highest(earlier.highestGradNorm, later.highestGradNorm),
    clippedShare: mean(earlier.clippedShare, later.clippedShare, share),
    learningRate: later.learningRate,
    tokensPerSecond: mean(earlier.tokensPerSecond, later.tokensPerSecond, share),
    phaseSeconds: means(earlier.phaseSeconds, later.phaseSeconds, share),
    busyShares: means(
      earlier.busyShares,
      later.busyShares,
      laterSeconds / (earlierSeconds + laterSeconds || 1),
    ),
  };
}

/** Of all its steps. */
function secondsOf({ steps, phaseSeconds }: Point): number {
  return steps * phaseSeconds.reduce((sum, seconds) => sum + seconds, 0);
}

/** Of two stretches, the later with `share` of the steps. */
function mean(earlier: number, later: number, share: number): number {
  return earlier + (later - earlier) * share;
}

function meanOrNull(earlier: number | null, later: number | null, share: number): number | null {
  return earlier === null || later === null ? null : mean(earlier, later, share);
}

/** Element by element; those of the later where they are not of the same things. */
function means(earlier: number[], later: number[], share: number): number[] {
  if (earlier.length !== later.length) return later;
  return later.map((value, i) => mean(earlier[i], value, share));
}

function lowest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function highest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
