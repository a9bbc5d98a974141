import test from 'ava';
import fc from 'fast-check';
import { EvenSeries } from '../../src/live/even-series.ts';
import { joinPoints, PointSeries } from '../../src/live/points.ts';
import type { Point } from '../../src/live/protocol.ts';
import { point } from './sample-points.ts';

const loss = fc.option(fc.double({ min: 0, max: 10, noNaN: true }), { freq: 20, nil: null });
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Ascending stretches, such as a history and the events after it. */
const stretches = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9 }), loss, loss, share, share), { maxLength: 200 })
  .map((drawn) => {
    let step = 0;
    return drawn.map(([steps, lossOf, norm, clippedShare, seconds]): Point => {
      step += steps;
      return point(step, {
        steps,
        loss: lossOf,
        lowestLoss: lossOf,
        highestLoss: lossOf,
        gradNorm: norm,
        highestGradNorm: norm,
        clippedShare,
        phaseSeconds: [seconds, 2 * seconds, 0],
      });
    });
  });
const limits = fc.integer({ min: 2, max: 20 });

function joined(added: readonly Point[], limit: number): readonly Point[] {
  const series = new PointSeries(limit);
  for (const each of added) series.add(each);
  return series.points;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b));

test('no history has more points than its limit, and the newest is as it came', (t) => {
  fc.assert(
    fc.property(stretches, limits, (added, limit) => {
      const kept = joined(added, limit);
      return kept.length <= limit && kept.at(-1) === added.at(-1);
    }),
  );
  t.pass();
});

test('every step stays in one point, in order', (t) => {
  fc.assert(
    fc.property(stretches, limits, (added, limit) => {
      let step = 0;
      for (const kept of joined(added, limit)) {
        step += kept.steps;
        if (kept.step !== step) return false;
      }
      return step === sum(added.map(({ steps }) => steps));
    }),
  );
  t.pass();
});

test('sums over the steps are kept: clipped steps, seconds of a phase, loss', (t) => {
  const totals = (points: readonly Point[]) => [
    sum(points.map(({ steps, clippedShare }) => steps * clippedShare)),
    sum(points.map(({ steps, phaseSeconds }) => steps * phaseSeconds[1])),
    sum(points.map(({ steps, loss: mean }) => steps * (mean ?? 0))),
  ];
  const finite = stretches.map((added) =>
    added.map((each) => ({ ...each, loss: each.loss ?? 1, gradNorm: each.gradNorm ?? 1 })),
  );
  fc.assert(
    fc.property(finite, limits, (added, limit) => {
      const expected = totals(added);
      return totals(joined(added, limit)).every((total, i) => close(total, expected[i]));
    }),
  );
  t.pass();
});

test('a mean lies between the bounds of its stretch, and the bounds are those of all steps', (t) => {
  fc.assert(
    fc.property(stretches, limits, (added, limit) => {
      const kept = joined(added, limit);
      const lows = (points: readonly Point[]) =>
        Math.min(...points.map((each) => each.lowestLoss ?? Number.POSITIVE_INFINITY));
      const highs = (points: readonly Point[]) =>
        Math.max(...points.map((each) => each.highestLoss ?? Number.NEGATIVE_INFINITY));
      const inside = kept.every(
        ({ loss: mean, lowestLoss, highestLoss }) =>
          mean === null || (mean >= lowestLoss! - 1e-9 && mean <= highestLoss! + 1e-9),
      );
      return inside && lows(kept) === lows(added) && highs(kept) === highs(added);
    }),
  );
  t.pass();
});

test('a history keeps one resolution: no stretch is longer than twice another, but the last two', (t) => {
  const kept = joined(
    Array.from({ length: 100_000 }, (_, i) => point(i + 1)),
    2000,
  );
  const lengths = kept.slice(0, -2).map(({ steps }) => steps);
  t.true(kept.length > 700);
  t.deepEqual(new Set(lengths), new Set([64]));
});

test('what is not finite stays so in every stretch that has it', (t) => {
  const both = joinPoints(point(1, { loss: null, lowestLoss: null }), point(2));
  t.is(both.loss, null);
  t.is(both.lowestLoss, 2);
  t.is(joinPoints(point(1), point(2, { gradNorm: null })).gradNorm, null);
});

test('a stretch says how its steps were: weighted means, the end of what moves', (t) => {
  const earlier = point(3, { steps: 3, loss: 1, lowestLoss: 0.5, learningRate: 0.5, time: null });
  const later = point(4, { loss: 5, highestLoss: 6, busyShares: [1, 0.25], time: 7 });
  t.deepEqual(joinPoints(earlier, later), {
    ...later,
    steps: 4,
    loss: 2,
    lowestLoss: 0.5,
    highestLoss: 6,
    busyShares: [0.625, 0.4375],
  });
  const long = point(3, { phaseSeconds: [0.25, 2.5, 0.25], busyShares: [0.5, 0.75] });
  t.deepEqual(joinPoints(long, later).busyShares, [0.625, 0.625], 'by their time');
  const before = joinPoints(point(1, { busyShares: [] }), later);
  t.deepEqual(before.busyShares, [1, 0.25]);
});

test('what is joined is not changed', (t) => {
  const [earlier, later] = [Object.freeze(point(1)), Object.freeze(point(2))];
  Object.freeze(earlier.phaseSeconds);
  t.is(joinPoints(earlier, later).steps, 2);
});

test('a thinned list keeps its newest, and of two the one that is chosen', (t) => {
  const series = new EvenSeries<number>(10, Math.min);
  for (let value = 100; value > 0; value--) series.add(value === 50 ? 0 : value);
  t.true(series.items.length <= 10);
  t.is(series.items.at(-1), 1);
  t.is(Math.min(...series.items), 0);
});
