/** Where the time of a step goes. Pure. */
import type { Phase } from '../../metrics/catalogue.ts';
import { joinPoints, PointSeries } from '../points.ts';
import type { Point } from '../protocol.ts';

/** Custom property of each phase's colour. */
const COLOURS: Readonly<Record<Phase, string>> = {
  load: '--c8',
  compute: '--c1',
  reduce: '--c4',
  clip: '--c7',
  update: '--c2',
  commit: '--c6',
  snapshot: '--c3',
  gradients: '--c5',
  sample: '--c9',
  evaluate: '--c10',
};

/** A phase of another version than this page's has that of waiting. */
export function phaseColour(phase: string): string {
  return COLOURS[phase as Phase] ?? COLOURS.load;
}

export interface PhaseShare {
  phase: string;
  /** Place among the values of a point. */
  index: number;
  /** Mean wall time of a step. */
  seconds: number;
  /** Of the time in all phases. */
  share: number;
}

/** Means over all points, by step; of the phases that took any time. */
export function phaseShares(phases: readonly string[], points: readonly Point[]): PhaseShare[] {
  const steps = sum(points.map((point) => point.steps));
  const seconds = phases.map((_, i) =>
    sum(points.map((point) => (point.phaseSeconds[i] ?? 0) * point.steps)),
  );
  const total = sum(seconds);
  return phases
    .map((phase, index) => ({
      phase,
      index,
      seconds: seconds[index] / steps,
      share: seconds[index] / total,
    }))
    .filter(({ seconds: taken }) => taken > 0);
}

/** Few, so that a validation is spread over the steps that it is for. */
const STRETCHES = 60;

/** The newest one is not shorter than the others, but for a few steps: a validation that it had would tower above all. */
export function phaseStretches(points: readonly Point[]): Point[] {
  const series = new PointSeries(STRETCHES);
  for (const point of points) series.add(point);
  const stretches = [...series.points];
  let newest = stretches.pop() as Point;
  do {
    const before = stretches.pop();
    if (!before) break;
    newest = joinPoints(before, newest);
  } while (newest.steps < (stretches[0]?.steps ?? 0));
  return [...stretches, newest];
}

/** Row i is the sum of the rows from i on: the upper edges of stacked areas, the uppermost first. */
export function stacked(rows: readonly (readonly number[])[]): number[][] {
  const sums: number[][] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    sums.unshift(rows[i].map((value, column) => value + (sums[0]?.[column] ?? 0)));
  }
  return sums;
}

/** Share of the time of the last `count` points that each worker was busy, of those that tell. */
export function recentBusyShares(points: readonly Point[], count: number): number[] {
  const workers = points.at(-1)?.busyShares.length ?? 0;
  const recent = points.slice(-count).filter(({ busyShares }) => busyShares.length === workers);
  const seconds = recent.map(({ steps, phaseSeconds }) => steps * sum(phaseSeconds));
  return Array.from(
    { length: workers },
    (_, worker) =>
      sum(recent.map(({ busyShares }, i) => busyShares[worker] * seconds[i])) / sum(seconds),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
