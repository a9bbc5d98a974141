/** A run that never was: what a server would send of it, the same at every call. */

import type { Alert, EvaluationPoint, Point, Snapshot } from '../../../src/live/protocol.ts';
import { PHASES, type Phase } from '../../../src/metrics/catalogue.ts';
import type { GradientsRecord } from '../../../src/metrics/records.ts';

export const TOTAL_STEPS = 20_000;
const START_SECONDS = 1_790_000_000;

/** What each phase takes, and of how many steps one has it. */
const PHASE_TIMES: Readonly<Record<Phase, { every: number; seconds: number }>> = {
  load: { every: 1, seconds: 0.0002 },
  compute: { every: 1, seconds: 0.0151 },
  reduce: { every: 1, seconds: 0.0008 },
  clip: { every: 1, seconds: 0.0001 },
  update: { every: 1, seconds: 0.0011 },
  commit: { every: 1, seconds: 0.0004 },
  snapshot: { every: 500, seconds: 0.01 },
  gradients: { every: 100, seconds: 0.05 },
  sample: { every: 500, seconds: 0.3 },
  evaluate: { every: 500, seconds: 0.8 },
};

/** The first `steps` steps, a point each. */
export function madeUpRun(steps: number, others: Partial<Snapshot> = {}): Snapshot {
  return {
    run: {
      run: 'made-up',
      version: '0.1.0',
      backend: 'native',
      variant: 'avx512',
      cell: 'lstm',
      parameters: 225_129,
      workers: 2,
      lanes: 8,
      vocabulary: 105,
      totalSteps: TOTAL_STEPS,
      stepsPerEpoch: 770,
      clipNorm: 1,
      phases: [...PHASES],
      settings: [
        { flag: '--hidden', value: '192' },
        { flag: '--chunk', value: '50' },
        { flag: '--gradients-every', value: '100' },
        { flag: '--sample-every', value: '500' },
      ],
    },
    state: { kind: 'training', step: steps, secondsLeft: 61 },
    points: range(1, steps).map(madeUpPoint),
    evaluations: range(0, Math.floor(steps / 500)).map((i) => madeUpEvaluation(i * 500)),
    gradients: range(1, Math.floor(steps / 100)).map((i) => madeUpGradients(i * 100)),
    samples: range(1, Math.floor(steps / 500)).map((i) => madeUpSample(i * 500)),
    alerts: [],
    upkeep: {
      checkpoint: { time: START_SECONDS, bytes: 2_703_360 },
      counts: { written: 4, failed: 0, skipped: 1 },
      residentBytes: 231 * 2 ** 20,
      arenaBytes: 46_871_347,
    },
    ...others,
  };
}

export function madeUpPoint(step: number): Point {
  const loss = 1.2 + 3.4 / (1 + step / 150) + 0.08 * noise(step);
  const gradNorm = 0.4 + 2 / (1 + step / 50) + 0.2 * noise(step + 7);
  return {
    step,
    steps: 1,
    tokens: step * 4096,
    time: START_SECONDS + step * 0.02,
    loss,
    lowestLoss: loss,
    highestLoss: loss,
    gradNorm,
    highestGradNorm: gradNorm,
    clippedShare: gradNorm > 1 ? 1 : 0,
    learningRate: 0.001 * (1 + Math.cos((Math.PI * step) / TOTAL_STEPS)),
    tokensPerSecond: 210_000 + 9000 * noise(step + 13),
    phaseSeconds: PHASES.map((phase) => {
      const { every, seconds } = PHASE_TIMES[phase];
      return step % every === 0 ? seconds : 0;
    }),
    busyShares: [0.93 + 0.03 * noise(step), 0.9 + 0.03 * noise(step + 1)],
  };
}

export function madeUpEvaluation(step: number): EvaluationPoint {
  return { step, tokens: step * 4096, loss: 1.5 + 3 / (1 + step / 200), best: true };
}

export function madeUpGradients(step: number): GradientsRecord {
  const layer = (name: string, decay: number) => ({
    layer: name,
    gradientNorm: 0.3,
    updateRatio: 0.002 * decay,
    normByLag: [0, 1, 2, 4, 8, 16, 32].map((lag) => ({
      lag,
      norm: 0.02 * decay ** lag * (1 + 0.3 * noise(step + lag)),
    })),
    saturation: ['i', 'f', 'g', 'o'].map((gate, i) => ({ gate, share: 0.05 * (i + 1) })),
  });
  const ends = ['embedding', 'head'].map((name) => ({
    layer: name,
    gradientNorm: 0.1,
    updateRatio: 0.004,
  }));
  return { step, layers: [ends[0], layer('0', 0.8), layer('1', 0.9), ends[1]] };
}

export function madeUpSample(step: number) {
  return { step, text: `interface Shuttle {\n  readonly weft: <b>number</b>; // ${step}\n}\n` };
}

export const ALERTS: Alert[] = [
  {
    name: 'ThreadloomStraggler',
    severity: 'warning',
    since: START_SECONDS,
    message: 'Worker 1 took 1.8 times as long as the median.',
    advice: 'See whether something else uses that core.',
  },
  {
    name: 'ThreadloomLossDiverging',
    severity: 'critical',
    since: START_SECONDS,
    message: 'The loss is 2.1 times its lowest.',
    advice: 'Lower --lr, or clip with --clip-norm.',
  },
];

/** From −1 to 1. */
function noise(seed: number): number {
  const wave = Math.sin(seed * 12.9898) * 43758.5453;
  return 2 * (wave - Math.floor(wave)) - 1;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
