import test from 'ava';
import { activeAlerts } from '../../src/live/alerts.ts';
import type { Evidence } from '../../src/live/findings.ts';
import type { AlertName, GradientsPoint, Point } from '../../src/live/protocol.ts';
import { Vitals } from '../../src/live/vitals.ts';
import { SITUATION_SECONDS, SITUATIONS, type Situation } from '../helpers/situations.ts';
import { PHASES, point, points } from './sample-points.ts';

const NOW = 100_000;

/** A run that is well: a hundred steps of a second each. */
function evidence(others: Partial<Evidence> = {}): Evidence {
  return {
    state: 'training',
    phases: PHASES,
    points: points(100, { phaseSeconds: [0.1, 0.8, 0.1] }),
    gradients: lags([1, 0.5, 0.1]),
    notFinite: false,
    lastProgress: NOW - 1,
    isValidating: false,
    longestValidationSeconds: 0,
    hasIdleWorkers: false,
    restarts: [],
    lastCheckpoint: NOW - 60,
    checkpointSeconds: 100,
    checkpointFailures: 0,
    failingSince: 0,
    ...others,
  };
}

function lags(norms: readonly (number | null)[]): GradientsPoint {
  const normByLag = norms.map((norm, i) => ({ lag: i === 0 ? 0 : 2 ** (i - 1), norm }));
  const others = { gradientNorm: 1, updateRatio: 1e-3 };
  return {
    step: 100,
    layers: [
      { layer: 'embedding', ...others },
      { layer: '0', ...others, normByLag },
    ],
  };
}

const withEnd = (count: number, others: Partial<Point>) => [
  ...points(100, { phaseSeconds: [0.1, 0.8, 0.1] }),
  ...points(count, { phaseSeconds: [0.1, 0.8, 0.1], ...others }, 101),
];
const workers = (busyShares: number[]) =>
  points(100, { phaseSeconds: [0.1, 0.8, 0.1], busyShares });

test('a run that is well has none', (t) => {
  t.deepEqual(activeAlerts(evidence(), NOW, []), []);
  t.deepEqual(activeAlerts(evidence({ points: [], gradients: undefined }), NOW, []), []);
});

interface Case {
  name: AlertName;
  fires: Partial<Evidence>;
  /** One sentence with its limit. */
  says: string;
  /** Just not enough. */
  quiet: Partial<Evidence>[];
}

const CASES: Record<string, Case> = {
  'no step for a minute': {
    name: 'ThreadloomNoProgress',
    fires: { lastProgress: NOW - 61 },
    says: 'No step was done for more than 60 s.',
    quiet: [
      { lastProgress: NOW - 59 },
      { lastProgress: NOW - 100, points: points(100, { phaseSeconds: [0, 6, 0] }) },
      { lastProgress: NOW - 100, isValidating: true, longestValidationSeconds: 40 },
      { lastProgress: NOW - 1000, isValidating: true },
      { lastProgress: NOW - 899, points: [] },
      { lastProgress: NOW - 1000, points: points(3, { phaseSeconds: [0, 70, 0] }) },
      { lastProgress: NOW - 100, points: points(20, { phaseSeconds: [0, 6, 0], time: null }) },
      { lastProgress: NOW - 1000, state: 'finished' },
    ],
  },
  'a step that was not finite': {
    name: 'ThreadloomLossNotFinite',
    fires: { notFinite: true, state: 'failed' },
    says: 'The gradient after step 100 was not finite.',
    quiet: [{ points: withEnd(1, {}) }],
  },
  'a loss that is none': {
    name: 'ThreadloomLossNotFinite',
    fires: { points: withEnd(1, { loss: null }) },
    says: 'The loss or the gradient of step 101 is not finite.',
    quiet: [{ points: [point(1, { loss: null }), point(2)] }],
  },
  'a loss that rises and stays': {
    name: 'ThreadloomLossDiverging',
    fires: { points: withEnd(100, { loss: 4 }) },
    says: 'The smoothed loss has been above 3.00 nats for at least 50 steps, after a lowest of 2.00.',
    quiet: [
      { points: withEnd(50, { loss: 4 }) },
      { points: withEnd(100, { loss: 2.9 }) },
      { points: [...points(100, { loss: 0.001 }), ...points(100, { loss: 0.05 }, 101)] },
    ],
  },
  'a gradient that is gone at the largest lag': {
    name: 'ThreadloomGradientsVanishing',
    fires: { gradients: lags([1, 1e-4, 1e-7]) },
    says: 'In layer 0 the gradient at its faintest lag is less than 1e-6 of that at lag 0.',
    quiet: [{ gradients: lags([0, 0, 0]) }, { gradients: lags([1, 1e-4, null]) }],
  },
  'a gradient that grows with the lag': {
    name: 'ThreadloomGradientsExploding',
    fires: { gradients: lags([1, 2000, 1]) },
    says: 'In layer 0 the gradient at lag 1 is more than 1000 times that at lag 0.',
    quiet: [{ gradients: lags([1, 900, 1]) }],
  },
  'a gradient that is not finite at a lag': {
    name: 'ThreadloomGradientsExploding',
    fires: { gradients: lags([1, 2, null]) },
    says: 'In layer 0 the gradient at lag 2 is not finite.',
    quiet: [{ gradients: lags([null, null, null]) }],
  },
  'a norm far above the median': {
    name: 'ThreadloomGradientsExploding',
    fires: { points: withEnd(1, { gradNorm: 150, highestGradNorm: 150 }) },
    says: 'A gradient norm was more than 100 times the median.',
    quiet: [
      { points: withEnd(1, { gradNorm: 90, highestGradNorm: 90 }) },
      { points: points(40, { highestGradNorm: 1000 }) },
    ],
  },
  'a norm far above a median between none and a norm': {
    name: 'ThreadloomGradientsExploding',
    fires: {
      points: [
        ...points(100, { gradNorm: 0, highestGradNorm: 0, phaseSeconds: [0.1, 0.8, 0.1] }),
        ...points(100, { gradNorm: 2, highestGradNorm: 150, phaseSeconds: [0.1, 0.8, 0.1] }, 101),
      ],
    },
    says: 'A gradient norm was more than 100 times the median.',
    quiet: [{ points: withEnd(1, { gradNorm: 0, highestGradNorm: 0 }) }],
  },
  'one worker that all wait for': {
    name: 'ThreadloomStraggler',
    fires: { points: workers([0.3, 0.9, 0.3]) },
    says: 'Worker 1 is busy more than 1.5 times as long as the median worker.',
    quiet: [
      { points: workers([0.7, 0.9, 0.7]) },
      { points: workers([0.01, 0.1, 0.01]) },
      { points: workers([0.3, 0.9, 0.3]), hasIdleWorkers: true },
      { points: [...workers([0.3, 0.9, 0.3]), ...workers([0.5, 0.5]).slice(-50)] },
      { points: workers([]) },
    ],
  },
  'threads that died': {
    name: 'ThreadloomWorkerRestarting',
    fires: { restarts: [NOW - 5000, NOW - 300, NOW - 200] },
    says: '2 threads died and had to be replaced within 10 minutes.',
    quiet: [{ restarts: [NOW - 601] }],
  },
  'steps that wait for text': {
    name: 'ThreadloomLoaderStarving',
    fires: { points: points(100, { phaseSeconds: [0.3, 0.6, 0.1] }) },
    says: 'More than 20% of a step is spent waiting for text.',
    quiet: [
      { points: points(100, { phaseSeconds: [0.19, 0.71, 0.1] }) },
      { points: points(9, { phaseSeconds: [30, 0.6, 0.1] }) },
      { points: points(100, { phaseSeconds: [0.03, 0.06, 0.01] }) },
    ],
  },
  'a checkpoint that should have come': {
    name: 'ThreadloomCheckpointStale',
    fires: { lastCheckpoint: NOW - 660 },
    says: 'No checkpoint was written for more than 10 minutes.',
    quiet: [
      { lastCheckpoint: NOW - 590 },
      { lastCheckpoint: NOW - 660, checkpointSeconds: 230 },
      { lastCheckpoint: NOW - 1790, checkpointSeconds: undefined },
    ],
  },
  'checkpoints that cannot be written': {
    name: 'ThreadloomCheckpointFailing',
    fires: { checkpointFailures: 2, failingSince: NOW - 40 },
    says: 'The last 2 checkpoints could not be written.',
    quiet: [{ checkpointFailures: 0 }],
  },
};

for (const situation of SITUATIONS) {
  const { alert, title, fires } = situation;
  test(`as Prometheus has it, ${alert}: ${title}`, (t) => {
    const found = activeAlerts(evidenceOf(situation), NOW, []);
    t.is(
      found.some(({ name }) => name === alert),
      fires,
      JSON.stringify(found),
    );
  });
}

/** A run in that situation, which goes on. */
function evidenceOf({ normByLag, phaseShares, checkpoints }: Situation): Evidence {
  const vitals = new Vitals();
  if (checkpoints) {
    const began = NOW - SITUATION_SECONDS;
    vitals.begin(began);
    for (const seconds of checkpoints) vitals.checkpointWritten(began + seconds);
    vitals.progressed(NOW);
  }
  const phases = Object.keys(phaseShares ?? {});
  return evidence({
    ...(normByLag && { gradients: lags(normByLag) }),
    ...(phaseShares && {
      phases,
      points: points(100, { phaseSeconds: phases.map((phase) => phaseShares[phase]) }),
    }),
    ...(checkpoints && vitals.toEvidence()),
  });
}

for (const [title, { name, fires, says, quiet }] of Object.entries(CASES)) {
  test(`${title}: ${name}`, (t) => {
    const alerts = activeAlerts(evidence(fires), NOW, []);
    t.deepEqual(
      alerts.map((alert) => [alert.name, alert.message]),
      [[name, says]],
    );
    t.true(alerts[0].advice.length > 20);
    for (const others of quiet) {
      const found = activeAlerts(evidence(others), NOW, []);
      t.false(
        found.some((alert) => alert.name === name),
        JSON.stringify(found),
      );
    }
  });
}

test('what comes to no end is told, be it a step, the first of them or a validation', (t) => {
  const message = (others: Partial<Evidence>) => activeAlerts(evidence(others), NOW, [])[0].message;
  const limit = (seconds: number) => `No step was done for more than ${seconds} s.`;
  const slow = points(3, { phaseSeconds: [0, 70, 0] });
  t.is(message({ lastProgress: NOW - 1401, points: slow }), limit(1400));
  t.is(message({ lastProgress: NOW - 901, points: [] }), limit(900));
  const validation = { isValidating: true, longestValidationSeconds: 40 };
  t.is(message({ lastProgress: NOW - 121, ...validation }), limit(120));
  // A long validation does not excuse a step.
  t.is(message({ lastProgress: NOW - 61, longestValidationSeconds: 400 }), limit(60));
});

test('an alert keeps its beginning while it lasts, and begins anew after it was gone', (t) => {
  const wrong = evidence({ gradients: lags([1, 1, 1e-8]) });
  const first = activeAlerts(wrong, NOW, []);
  t.is(first[0].since, NOW);
  t.is(activeAlerts(wrong, NOW + 50, first)[0].since, NOW);
  const gone = activeAlerts(evidence(), NOW + 50, first);
  t.deepEqual(gone, []);
  t.is(activeAlerts(wrong, NOW + 55, gone)[0].since, NOW + 55);
});

test('what is known to have begun earlier began then', (t) => {
  const since = (others: Partial<Evidence>) => activeAlerts(evidence(others), NOW, [])[0].since;
  t.is(since({ lastProgress: NOW - 500 }), NOW - 500);
  t.is(since({ checkpointFailures: 1, failingSince: NOW - 40 }), NOW - 40);
  t.is(since({ restarts: [NOW - 20] }), NOW - 20);
  t.is(since({ lastCheckpoint: NOW - 700 }), NOW - 700);
});

test('an alert says the same while it lasts, whatever figures run on', (t) => {
  const later = (others: Partial<Evidence>, count: number, of: Partial<Point>) => {
    const run = [...(others.points ?? withEnd(0, {})), ...points(count, of, 300)];
    return evidence({ ...others, points: run });
  };
  const figures: Partial<Evidence>[] = [
    { lastProgress: NOW - 61 },
    { lastCheckpoint: NOW - 660 },
    { points: withEnd(100, { loss: 4 }) },
    { points: withEnd(1, { gradNorm: 150, highestGradNorm: 150 }) },
    { points: workers([0.3, 0.9, 0.3]) },
    { points: points(100, { phaseSeconds: [0.3, 0.6, 0.1] }) },
  ];
  for (const others of figures) {
    const first = activeAlerts(later(others, 0, {}), NOW, []);
    const more = { loss: 4.5, busyShares: [0.2, 0.9, 0.3], phaseSeconds: [0.35, 0.6, 0.1] };
    const found = activeAlerts(later(others, 2, more), NOW + 100, first);
    t.is(first.length, 1);
    t.deepEqual(
      found.find(({ name }) => name === first[0].name),
      first[0],
    );
  }
});
