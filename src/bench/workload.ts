/** A training of nothing: the real engine on made-up tokens, for as long as it takes to measure it. */
import type { StepOutcome } from '../coordinator/coordinator.ts';
import { type Engine, type EnginePlan, planEngine, startEngine } from '../coordinator/engine.ts';
import type { StepPhase } from '../coordinator/step-phases.ts';
import type { StepRequest } from '../coordinator/step-tasks.ts';
import { stepsAtOnce } from '../coordinator/steps-at-once.ts';
import type { KernelChoice } from '../kernels/backend.ts';
import { mix } from '../kernels/mix.ts';
import { freeMemoryBytes, HEAP_GROWTH_BYTES } from '../machine.ts';
import type { ModelSpec } from '../model/spec.ts';
import { collectGarbage } from './collect.ts';
import { PeakMemory } from './peak-memory.ts';
import { meanSeconds, profileOf, type StepProfile } from './step-profile.ts';

export interface Workload {
  spec: ModelSpec;
  /** N, T and S */
  streams: number;
  times: number;
  lanes: number;
}

export interface TrainMeasurement {
  workers: number;
  steps: number;
  /** Of one step, of those that are given out at once their mean: median, and the tenth fastest and slowest of a hundred. */
  stepSeconds: { median: number; p10: number; p90: number };
  tokensPerSecond: number;
  /** Wall time of each phase, a step. */
  phaseSeconds: Partial<Record<StepPhase, number>>;
  /** Of the middle half of the steps. */
  profile: StepProfile;
  arenaBytes: number;
  /** Resident memory of the process: the plan before the first step (base, what the heap grows by, and arena), and the most that there was. */
  plannedBytes: number;
  peakBytes: number;
}

/** Adam with clipping by norm, as the README's comparison uses it. */
const OPTIMIZER = {
  optimizer: 'adam',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  clipValue: 0,
} as const;
const CLIP_NORM = 1;
const LEARNING_RATE = 2e-3;
/** Before the clock starts, of the time that is measured: caches and compiled code settle. */
const WARMUP_SHARE = 0.2;
/** Of steps that are given out at once. */
const LEAST_BATCHES = 5;

/** Trains for about `seconds`. Throws InputError where the workload does not fit the memory. */
export async function measureTraining(
  workload: Workload,
  kernels: KernelChoice,
  workers: number,
  seconds: number,
): Promise<TrainMeasurement> {
  const { spec, streams, times, lanes } = workload;
  const plan = planEngine(
    {
      spec,
      times,
      workers,
      kernels,
      evaluationStreams: 0,
      training: { streams, lanes, optimizer: OPTIMIZER, init: { init: 'uniform', seed: 1 } },
    },
    freeMemoryBytes(),
  );
  collectGarbage();
  const peak = new PeakMemory();
  const engine = await startEngine(plan);
  const plannedBytes = process.memoryUsage.rss() + HEAP_GROWTH_BYTES + plan.arenaBytes;
  try {
    fillRing(plan, engine);
    await engine.coordinator.initialize();
    await engine.coordinator.packWeights();
    const trainSteps = stepsOf(plan, engine);
    await trainFor(trainSteps, WARMUP_SHARE * seconds, peak);
    const batches = await trainFor(trainSteps, seconds, peak);
    const summary = summarize(batches, streams * times);
    return {
      ...summary,
      workers,
      arenaBytes: plan.arenaBytes,
      plannedBytes,
      peakBytes: peak.bytes,
    };
  } finally {
    await engine.pool.close();
  }
}

async function trainFor(
  trainSteps: () => Promise<StepOutcome[]>,
  seconds: number,
  peak: PeakMemory,
): Promise<StepOutcome[][]> {
  const batches: StepOutcome[][] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end || batches.length < LEAST_BATCHES) {
    batches.push(await trainSteps());
    peak.sample();
  }
  return batches;
}

/** As many steps as a real run gives out at once; the next ones are given out ahead, as there. */
function stepsOf({ layout }: EnginePlan, { coordinator }: Engine): () => Promise<StepOutcome[]> {
  const requestsOf = (generation: number, count: number): StepRequest[] =>
    Array.from({ length: count }, (_, i) => ({
      slot: (generation + i) % layout.ring.length,
      fromZero: generation + i === 0,
      learningRate: LEARNING_RATE,
      clipNorm: CLIP_NORM,
    }));
  let next = requestsOf(0, 1);
  let stepSeconds = Number.POSITIVE_INFINITY;
  return async () => {
    const requests = next;
    next = requestsOf(coordinator.generation + requests.length, stepsAtOnce(stepSeconds));
    const { steps, failure } = await coordinator.steps(requests, next);
    if (failure) throw failure;
    stepSeconds = steps.at(-1)!.seconds;
    return steps;
  };
}

/** Ids without pattern, the same in every run. */
function fillRing({ layout, request }: EnginePlan, { views }: Engine): void {
  const { vocabulary } = request.spec;
  const length = request.times * (request.training?.streams ?? 0);
  for (const [slot, { ids, targets }] of layout.ring.entries()) {
    for (let i = 0; i < length; i++) {
      views.ints[ids + i] = (mix(2 * i + slot * length) >>> 0) % vocabulary;
      views.ints[targets + i] = (mix(2 * i + 1 + slot * length) >>> 0) % vocabulary;
    }
  }
}

function summarize(batches: readonly StepOutcome[][], tokensPerStep: number) {
  const outcomes = batches.flat();
  const sorted = batches.map(meanSeconds).sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const mean = (value: (outcome: StepOutcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / outcomes.length;
  const phases = Object.keys(outcomes[0].phaseSeconds) as StepPhase[];
  return {
    steps: outcomes.length,
    stepSeconds: { median: at(0.5), p10: at(0.1), p90: at(0.9) },
    tokensPerSecond: tokensPerStep / at(0.5),
    phaseSeconds: Object.fromEntries(
      phases.map((phase) => [phase, mean(({ phaseSeconds }) => phaseSeconds[phase] ?? 0)]),
    ),
    profile: profileOf(batches),
  };
}
