/** How training scales with workers and with work, and where the time goes. */
import { type BenchScalingSettings, benchScalingSettings } from '../config/bench-settings.ts';
import { chooseKernels, type KernelChoice } from '../kernels/backend.ts';
import { surroundings } from '../machine.ts';
import { flopsPerToken } from '../model/flops.ts';
import { fitScaling, LEAST_POINTS, predictSeconds, type ScalingModel } from './scaling-model.ts';
import {
  type ScalingPart,
  type ScalingShares,
  sharesOf,
  streamsPerWorker,
} from './scaling-shares.ts';
import { type Shape, workloadOf } from './train.ts';
import { measureTraining, type Workload } from './workload.ts';

export interface ScalingRow extends ScalingShares {
  workers: number;
  /** N: the same in strong scaling, in proportion to the workers in weak scaling. */
  streams: number;
  /** By the mean of the middle half of the steps, as the shares are. */
  tokensPerSecond: number;
  /** Against one worker. */
  speedup: number;
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
  const unit = streamsPerWorker(counts, workload.streams, lanes);

  const strong = await measureRows(
    counts,
    () => workload,
    kernels,
    seconds,
    (row) => onRow(row, 'strong'),
  );
  const weak = await measureRows(
    counts,
    (count) => ({ ...workload, streams: unit * count }),
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
  let first: (ScalingPart & { tokensPerSecond: number }) | undefined;
  for (const workers of counts) {
    const workload = workloadFor(workers);
    const { streams, times } = workload;
    const { profile } = await measureTraining(workload, kernels, workers, seconds);
    const tokensPerSecond = (streams * times) / profile.seconds;
    const part = { workers, streams, profile };
    first ??= { ...part, tokensPerSecond };
    const speedup = tokensPerSecond / first.tokensPerSecond;
    const row = { workers, streams, tokensPerSecond, speedup, ...sharesOf(part, first) };
    rows.push(row);
    onRow(row);
  }
  return rows;
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
