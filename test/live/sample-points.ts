/** Points and records for tests. */
import type { Point, RunDescription } from '../../src/live/protocol.ts';
import type { StepRecord } from '../../src/metrics/records.ts';

export const PHASES = ['load', 'compute', 'reduce'];

export function point(step: number, others: Partial<Point> = {}): Point {
  return {
    step,
    steps: 1,
    tokens: 32 * step,
    time: 1000 + step,
    loss: 2,
    lowestLoss: 2,
    highestLoss: 2,
    gradNorm: 1,
    highestGradNorm: 1,
    clippedShare: 0,
    learningRate: 0.01,
    tokensPerSecond: 100,
    phaseSeconds: [0.25, 0.5, 0.25],
    busyShares: [0.5, 0.5],
    ...others,
  };
}

/** `count` points of one step each, the first of step `first`. */
export function points(count: number, others: Partial<Point> = {}, first = 1): Point[] {
  return Array.from({ length: count }, (_, i) => point(first + i, others));
}

export function stepRecord(step: number, others: Partial<StepRecord> = {}): StepRecord {
  return {
    step,
    epoch: 1,
    tokens: 32 * step,
    stepTokens: 32,
    loss: 2,
    gradNorm: 1,
    clipScale: 1,
    lr: 0.01,
    tokensPerSecond: 100,
    secondsLeft: 10,
    phaseSeconds: { load: 0.25, compute: 0.5, reduce: 0.25 },
    tasks: {},
    busySeconds: [],
    ringFilled: 2,
    bytesRead: 0,
    ...others,
  };
}

export const DESCRIPTION: RunDescription = {
  run: 'r',
  version: '1.0.0',
  backend: 'wasm',
  variant: 'wasm',
  cell: 'lstm',
  parameters: 100,
  workers: 2,
  lanes: 4,
  vocabulary: 30,
  totalSteps: 1000,
  stepsPerEpoch: 100,
  clipNorm: 1,
  phases: PHASES,
  settings: [{ flag: '--hidden', value: '8' }],
};
