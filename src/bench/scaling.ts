/** How training scales with workers and with work, and where the time goes. */
import { type BenchScalingSettings, benchScalingSettings } from '../config/bench-settings.ts';
import { chooseKernels, type KernelChoice } from '../kernels/backend.ts';
import { surroundings } from '../machine.ts';
import { flopsPerToken } from '../model/flops.ts';
import { fitScaling, LEAST_POINTS, predictSeconds, type ScalingModel } from './scaling-model.ts';
import { type Shape, workloadOf } from './train.ts';
import { measureTraining, type TrainMeasurement, type Workload } from './workload.ts';

export interface ScalingRow {
  workers: number;
  /** N: the same in strong scaling, W times as many in weak scaling. */
  streams: number;
  tokensPerSecond: number;
  /** Against one worker. */
  speedup: number;
  efficiency: number;
  /** Shares of W · wall time that are not the work of one worker: they add up, with efficiency, to about 1. */
  lostToImbalance: number;
  lostToReduction: number;
  lostToCoordination: number;
  lostToMemory: number;
}

export interface GrowthRow {
  /** What grows: hidden, chunk, batch or vocab, and its value. */
  grows: string;
  value: number;
  stepSeconds: number;
  tokensPerSecond: number;
  gflops: number;
  /** d log(step seconds) / d log(value), from the row before; null for the first. */
  exponent: number | null;
}

export interface ScalingBenchmark {
  variant: string;
  workload: Workload;
  strong: ScalingRow[];
  weak: ScalingRow[];
  /** Absent where fewer than four worker counts were measured. */
  model?: ScalingModel;
  /** Of the model, for worker counts that were not measured. */
  predictions: { workers: number; tokensPerSecond: number }[];
  growth: GrowthRow[];
}

/** Measures strong scaling, weak scaling and growth. Throws InputError for settings that cannot work. */
export async function benchmarkScaling(
  settings: BenchScalingSettings,
  onRow: (row: ScalingRow | GrowthRow, part: 'strong' | 'weak' | 'growth') => void = () => {},
): Promise<ScalingBenchmark> {
  const { workers, backend, seconds, svg: _, ...shape } = benchScalingSettings.parse(settings);
  const counts = parseCounts(workers);
  const kernels = chooseKernels(backend);
  // Lanes bound the workers and cut the sums: the same for every W, and as many as the largest.
  const lanes = Math.max(8, ...counts);
  const workload = workloadOf({ ...shape, batch: Math.max(lanes, shape.batch ?? 50) }, lanes);
  const weakUnit = Math.max(1, Math.round(workload.streams / Math.max(...counts)));

  const strong = await measureRows(
    counts,
    () => workload,
    kernels,
    seconds,
    (row) => onRow(row, 'strong'),
  );
  const weak = await measureRows(
    counts,
    (count) => ({ ...workload, streams: Math.max(lanes, weakUnit * count) }),
    kernels,
    seconds,
    (row) => onRow(row, 'weak'),
  );
  const growth = await measureGrowth(shape, kernels, Math.max(...counts), seconds, (row) =>
    onRow(row, 'growth'),
  );
  return { variant: kernels.variant, workload, strong, weak, ...predict(workload, strong), growth };
}

function parseCounts(workers: string | undefined): number[] {
  if (workers !== undefined)
    return [...new Set(workers.split(',').map(Number))].sort((a, b) => a - b);
  const { cores } = surroundings();
  const powers = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, i) => 2 ** i);
  return [...new Set([...powers, cores])];
}

async function measureRows(
  counts: readonly number[],
  workloadFor: (workers: number) => Workload,
  kernels: KernelChoice,
  seconds: number,
  onRow: (row: ScalingRow) => void,
): Promise<ScalingRow[]> {
  const rows: ScalingRow[] = [];
  let single: { measured: TrainMeasurement; streams: number } | undefined;
  for (const workers of counts) {
    const workload = workloadFor(workers);
    const measured = await measureTraining(workload, kernels, workers, seconds);
    single ??= { measured, streams: workload.streams };
    const row = compare(measured, workload.streams, single);
    rows.push(row);
    onRow(row);
  }
  return rows;
}

/** Splits W · wall time into useful work (that of the first row, for as many streams) and what is lost. */
function compare(
  measured: TrainMeasurement,
  streams: number,
  single: { measured: TrainMeasurement; streams: number },
): ScalingRow {
  const { workers, tokensPerSecond, phaseSeconds } = measured;
  const speedup = tokensPerSecond / single.measured.tokensPerSecond;
  const efficiency = (speedup * single.measured.workers) / workers;
  const wall = Object.values(phaseSeconds).reduce((sum, seconds) => sum + seconds, 0);
  const compute = phaseSeconds.compute ?? 0;
  const useful = (single.measured.busySeconds * streams) / single.streams;
  return {
    workers,
    streams,
    tokensPerSecond,
    speedup,
    efficiency,
    lostToImbalance: (measured.slowestSeconds - measured.balancedSeconds) / wall,
    lostToReduction: (wall - compute) / wall - shareOutsideCompute(single.measured) / workers,
    lostToCoordination: (wall - measured.slowestSeconds) / wall,
    lostToMemory: (measured.busySeconds - useful) / (workers * wall),
  };
}

function shareOutsideCompute({ phaseSeconds }: TrainMeasurement): number {
  const wall = Object.values(phaseSeconds).reduce((sum, seconds) => sum + seconds, 0);
  return (wall - (phaseSeconds.compute ?? 0)) / wall;
}

function predict(workload: Workload, strong: readonly ScalingRow[]) {
  if (strong.length < LEAST_POINTS) return { predictions: [] };
  const tokens = workload.streams * workload.times;
  const model = fitScaling(
    strong.map(({ workers, tokensPerSecond }) => ({ workers, seconds: tokens / tokensPerSecond })),
  );
  const largest = Math.max(...strong.map(({ workers }) => workers));
  const predictions = [2, 4, 8].map((factor) => {
    const workers = factor * largest;
    return { workers, tokensPerSecond: tokens / predictSeconds(model, workers) };
  });
  return { model, predictions };
}

/** One dimension at a time, doubled and doubled again. */
const GROWTH = {
  hidden: [64, 128, 256, 512],
  chunk: [16, 32, 64, 128],
  batch: [16, 32, 64, 128],
  vocab: [64, 512, 4096, 16_384],
} as const;

async function measureGrowth(
  shape: Shape,
  kernels: KernelChoice,
  workers: number,
  seconds: number,
  onRow: (row: GrowthRow) => void,
): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const [grows, values] of Object.entries(GROWTH)) {
    let before: GrowthRow | undefined;
    for (const value of values) {
      const workload = workloadOf({ ...shape, [grows]: value });
      const measured = await measureTraining(workload, kernels, workers, seconds / 2);
      const stepSeconds = measured.stepSeconds.median;
      const row: GrowthRow = {
        grows,
        value,
        stepSeconds,
        tokensPerSecond: measured.tokensPerSecond,
        gflops: (measured.tokensPerSecond * flopsPerToken(workload.spec)) / 1e9,
        exponent: before
          ? Math.log(stepSeconds / before.stepSeconds) / Math.log(value / before.value)
          : null,
      };
      rows.push(row);
      onRow(row);
      before = row;
    }
  }
  return rows;
}
