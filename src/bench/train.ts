/** Throughput of training, against what the machine can do at most. */
import { type BenchTrainSettings, benchTrainSettings } from '../config/bench-settings.ts';
import { defaultLanes } from '../config/default-lanes.ts';
import { expected, InputError } from '../errors.ts';
import { chooseKernels } from '../kernels/backend.ts';
import { surroundings } from '../machine.ts';
import { flopsPerToken } from '../model/flops.ts';
import type { ModelSpec } from '../model/spec.ts';
import { higherOf, measurePeak, type Peak } from './peak.ts';
import { coordinationSeconds } from './step-profile.ts';
import { measureTraining, type TrainMeasurement, type Workload } from './workload.ts';

export interface TrainBenchmark extends TrainMeasurement {
  spec: ModelSpec;
  streams: number;
  times: number;
  lanes: number;
  backend: string;
  variant: string;
  /** Of the step as a whole, by `flopsPerToken`. */
  gflops: number;
  /** On as many threads, the higher of what was measured just before and just after: a shared machine is not always as fast. */
  peakGflops: number;
  shareOfPeak: number;
  copyGigabytesPerSecond: number;
  /** Of the step: no worker has a task. */
  coordinationShare: number;
}

export type Shape = Pick<
  BenchTrainSettings,
  'cell' | 'hidden' | 'layers' | 'embed' | 'dropout' | 'batch' | 'chunk' | 'vocab'
>;

/** What is measured where no shape is given. */
export const SHAPES: readonly Shape[] = [
  { cell: 'lstm', layers: 2, hidden: 64, batch: 50, chunk: 50 },
  { cell: 'lstm', layers: 2, hidden: 128, batch: 50, chunk: 50 },
  { cell: 'lstm', layers: 2, hidden: 256, batch: 64, chunk: 64 },
  { cell: 'lstm', layers: 2, hidden: 512, batch: 64, chunk: 64 },
  { cell: 'lstm', layers: 1, hidden: 1024, batch: 64, chunk: 32 },
  { cell: 'gru', layers: 2, hidden: 128, batch: 50, chunk: 50 },
  { cell: 'gru', layers: 2, hidden: 256, batch: 64, chunk: 64 },
  { cell: 'rnn', layers: 2, hidden: 128, batch: 50, chunk: 50 },
  { cell: 'rnn', layers: 2, hidden: 256, batch: 64, chunk: 64 },
  { cell: 'lstm', layers: 1, hidden: 256, batch: 64, chunk: 64, vocab: 10_000 },
];

/**
 * Measures the shape that the settings name, or each of `SHAPES` where they name none; yields one benchmark after another. Throws
 * InputError for settings that cannot work.
 */
export async function* benchmarkTraining(
  settings: BenchTrainSettings,
): AsyncGenerator<TrainBenchmark> {
  const {
    workers: threads,
    backend,
    seconds,
    lanes,
    ...shape
  } = benchTrainSettings.parse(settings);
  const workers = threads ?? surroundings().cores;
  const kernels = chooseKernels(backend);
  const shapes = isGiven(shape) ? [shape] : SHAPES;
  const workloads = shapes.map((each) => workloadOf(each, lanes));
  let before = await measurePeak(workers);
  for (const workload of workloads) {
    const measured = await measureTraining(workload, kernels, workers, seconds);
    const after = await measurePeak(workers);
    yield rate(workload, measured, higherOf(before, after), kernels);
    before = after;
  }
}

/** Whether a shape says anything. */
export function isGiven(shape: Shape): boolean {
  return Object.values(shape).some((value) => value !== undefined);
}

export function workloadOf(shape: Shape, lanes?: number): Workload {
  const { cell = 'lstm', hidden = 128, layers = 2, dropout = 0 } = shape;
  const { batch = 50, chunk = 50, vocab = 65, embed = hidden } = shape;
  if (lanes !== undefined && lanes > batch) {
    throw new InputError(expected(`--lanes to be at most --batch (${batch})`, lanes));
  }
  return {
    spec: { cell, activation: 'tanh', hidden, layers, dropout, embed, vocabulary: vocab },
    streams: batch,
    times: chunk,
    lanes: lanes ?? defaultLanes(batch),
  };
}

function rate(
  workload: Workload,
  measured: TrainMeasurement,
  peak: Peak,
  { backend, variant }: { backend: string; variant: string },
): TrainBenchmark {
  const gflops = (measured.tokensPerSecond * flopsPerToken(workload.spec)) / 1e9;
  return {
    ...workload,
    ...measured,
    backend,
    variant,
    gflops,
    peakGflops: peak.gflops,
    shareOfPeak: gflops / peak.gflops,
    copyGigabytesPerSecond: peak.copyGigabytesPerSecond,
    coordinationShare: coordinationSeconds(measured.profile) / measured.profile.seconds,
  };
}
