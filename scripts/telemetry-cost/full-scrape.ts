/** What a scrape is once everything has been measured: every metric, and all its series. */
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import type { LayerGradients, TaskRecord } from '../../src/metrics/records.ts';

export interface ScrapeSize {
  layers: number;
  workers: number;
}

/** Of the deepest model, on as many workers as metrics tell apart. */
export const LONGEST: ScrapeSize = { layers: 64, workers: 100 };

const LAGS = [0, ...Array.from({ length: 16 }, (_, power) => 2 ** power)];
const REGIONS = ['parameters', 'moments', 'gradient', 'packed', 'lane', 'subtree', 'ring', 'shard'];

export function fullMetrics({ layers, workers }: ScrapeSize): Metrics {
  const metrics = createMetrics({ run: 'r', processMetrics: true });
  metrics.recordRun({
    ...{ cell: 'lstm', hidden: 256, layers, batch: 64, chunk: 65_536, lanes: 8 },
    ...{ optimizer: 'adam', backend: 'native', variant: 'avx512', version: '0.0.0' },
    ...{ workers, totalSteps: 1e6, clipNorm: 1, flopsPerToken: 1e6, peakFlops: 1e11 },
    ringSlots: 3,
    arenaBytes: new Map(REGIONS.map((region, i) => [region, 2 ** (20 + i)])),
  });
  const tasks: TaskRecord[] = [{ waitSeconds: 1e-4, seconds: 0.01 }];
  const busySeconds = Array.from({ length: workers }, (_, worker) => worker / 7);
  metrics.recordStep({
    ...{
      step: 1,
      epoch: 1,
      tokens: 4096,
      stepTokens: 4096,
      loss: 3.25,
      gradNorm: 2,
      clipScale: 0.5,
    },
    ...{ lr: 1e-3, tokensPerSecond: 1e5, secondsLeft: 60, ringFilled: 3, bytesRead: 1e6 },
    phaseSeconds: {
      load: 1e-4,
      compute: 0.01,
      reduce: 1e-3,
      clip: 1e-5,
      update: 1e-3,
      commit: 1e-6,
    },
    tasks: { compute: tasks, reduce: tasks, update: tasks },
    busySeconds,
  });
  metrics.recordEvaluation({ step: 1, loss: 3.5, bestLoss: 3.5, seconds: 1 });
  metrics.recordGradients({ step: 1, layers: Array.from({ length: layers }, (_, i) => layer(i)) });
  metrics.recordPool({
    ...{ workers, restarts: 0, repeatedTasks: 0, actorRestarts: { loader: 0, writer: 0 } },
    busySeconds,
  });
  metrics.recordCheckpoint({ bytes: 2 ** 24, seconds: 0.5 });
  metrics.recordPendingLogs(0);
  return metrics;
}

function layer(index: number): LayerGradients {
  return {
    layer: String(index),
    ...{ gradientNorm: 1 / (index + 3), updateRatio: 1 / (index + 900) },
    normByLag: LAGS.map((lag) => ({ lag, norm: 1 / (lag + 3) })),
    saturation: ['i', 'f', 'g', 'o'].map((gate) => ({ gate, share: 1 / (index + 7) })),
  };
}
