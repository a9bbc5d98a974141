import test from 'ava';
import { logScale, viridis } from '../../../src/live/view/colour-scale.ts';
import { lagLabels, lagSentences } from '../../../src/live/view/lags.ts';
import { missingGradients, missingSamples } from '../../../src/live/view/missing.ts';
import {
  phaseShares,
  phaseStretches,
  recentBusyShares,
  stacked,
} from '../../../src/live/view/phases.ts';
import { smooth } from '../../../src/live/view/smoothing.ts';
import { madeUpPoint, madeUpRun } from '../page/made-up-run.ts';

test('smoothing keeps what is constant, passes over gaps, and weighs a stretch by its steps', (t) => {
  t.deepEqual(smooth([3, null, 3], [1, 1, 1], 20), [3, null, 3]);
  t.deepEqual(smooth([1, 5, 2], [1, 1, 1], 1), [1, 5, 2]);
  const single = smooth([0, 1, 1, 1, 1], [1, 1, 1, 1, 1], 10).at(-1) as number;
  const stretch = smooth([0, 1], [1, 4], 10).at(-1) as number;
  t.true(Math.abs(single - stretch) < 1e-12);
  t.true(Math.abs(single - (1 - (0.9 ** 4 * 0.1) / (1 - 0.9 ** 5))) < 1e-12);
});

test('the colours rise in brightness from end to end', (t) => {
  const brightness = (share: number) => {
    const [r, g, b] = viridis(share);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (let i = 0; i < 50; i++) t.true(brightness((i + 1) / 50) > brightness(i / 50));
  t.deepEqual(viridis(-1), viridis(0));
  t.deepEqual(viridis(2), viridis(1));
});

test('a logarithmic scale spans the positive values, within eight decades', (t) => {
  const scale = logScale([0, 1e-3, 1e-1, Number.NaN]);
  t.deepEqual([scale.low, scale.high], [1e-3, 1e-1]);
  t.is(scale.shareOf(1e-3), 0);
  t.true(Math.abs((scale.shareOf(1e-2) as number) - 0.5) < 1e-12);
  t.is(scale.shareOf(0), undefined);
  t.is(scale.shareOf(Number.POSITIVE_INFINITY), undefined);
  t.is(logScale([1e-30, 1]).low, 1e-8);
  t.is(logScale([]).high, 1);
});

const norms = (last: number | null, here: number | null = 2) =>
  [0, 1, 2, 4].map((lag) => ({ lag, norm: lag === 4 ? last : lag === 0 ? here : 2 }));
const record = (last: number | null, here?: number | null) => ({
  step: 1,
  layers: [{ layer: '1', gradientNorm: 1, updateRatio: 1, normByLag: norms(last, here) }],
});

test('the gradient by lag is told in a sentence', (t) => {
  t.deepEqual(lagLabels(norms(1), 64), ['0', '1', '2–3', '4–7']);
  t.deepEqual(lagLabels(norms(1), 7), ['0', '1', '2–3', '4–6']);
  t.deepEqual(lagLabels(norms(1), 5), ['0', '1', '2–3', '4']);
  t.deepEqual(lagSentences(record(0.008)), [
    'layer 1: the gradient 4 steps back is 0.004 of that of the last step.',
  ]);
  t.regex(lagSentences(record(1e-6))[0], /hardly teaches it anything\.$/);
  t.regex(lagSentences(record(100))[0], /is 50 of .*; it grows on its way back\.$/);
  t.is(lagSentences(record(null))[0], 'layer 1: the gradient 4 steps back is not finite.');
  t.is(lagSentences(record(1, null))[0], 'layer 1: the gradient of the last step is not finite.');
  t.deepEqual(lagSentences(record(1, 0)), []);
  t.deepEqual(lagSentences({ step: 1, layers: [] }), []);
});

test('the time of a step is parted by phase, weighed by steps', (t) => {
  const points = [
    { ...madeUpPoint(1), phaseSeconds: [1, 0, 3] },
    { ...madeUpPoint(4), steps: 3, phaseSeconds: [1, 0, 7] },
  ];
  t.deepEqual(phaseShares(['a', 'none', 'b'], points), [
    { phase: 'a', index: 0, seconds: 1, share: 1 / 7 },
    { phase: 'b', index: 2, seconds: 6, share: 6 / 7 },
  ]);
  t.deepEqual(phaseShares(['a'], []), []);
  t.deepEqual(
    stacked([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
    [
      [9, 12],
      [8, 10],
      [5, 6],
    ],
  );
});

test('the last stretch of a long history is no shorter than the others, and no step is lost', (t) => {
  for (const count of [1, 2, 60, 61, 1000, 1234]) {
    const points = Array.from({ length: count }, (_, i) => madeUpPoint(i + 1));
    const stretches = phaseStretches(points);
    const steps = stretches.map((stretch) => stretch.steps);
    t.is(
      steps.reduce((sum, each) => sum + each, 0),
      count,
    );
    t.true(stretches.length <= 60);
    t.true(steps[steps.length - 1] >= steps[0], String(steps));
  }
});

test('the busy shares are those of the last points that know all workers', (t) => {
  const of = (...busyShares: number[]) => ({ ...madeUpPoint(1), busyShares });
  t.deepEqual(recentBusyShares([of(0.1), of(0, 1), of(0.5, 1)], 3), [0.25, 1]);
  t.deepEqual(recentBusyShares([of(0, 1), of(0.5, 1)], 1), [0.5, 1]);
  const long = { ...of(1, 0), phaseSeconds: madeUpPoint(1).phaseSeconds.map((each) => 3 * each) };
  t.deepEqual(recentBusyShares([of(0, 1), long], 2), [0.75, 0.25], 'by their time');
  t.deepEqual(recentBusyShares([], 3), []);
});

test('what is missing names its flag, or when it comes', (t) => {
  const now = madeUpRun(0);
  t.regex(missingGradients(now), /first measurement comes with step 100 \(--gradients-every 100\)/);
  t.regex(
    missingSamples({ ...now, run: { ...now.run, settings: [] } }),
    /Train with --sample-every/,
  );
  const stopped = { ...now, state: { kind: 'stopped', step: 5, secondsLeft: null } as const };
  t.regex(missingSamples(stopped), /ended before --sample-every 500/);
  const short = { ...now, run: { ...now.run, totalSteps: 300 } };
  t.regex(missingSamples(short), /--sample-every 500 is more than the 300 steps of this run\.$/);
  const starting = { ...now, run: { ...now.run, totalSteps: 0 } };
  t.regex(missingSamples(starting), /first sample comes with step 500/);
});
