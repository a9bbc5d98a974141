/** What a scrape says, for tests. */
import type { Metrics } from '../../src/metrics/metrics.ts';
import type { GradientsRecord, RunRecord, StepRecord } from '../../src/metrics/records.ts';

/** The series of Threadloom as a map from `name{labels}` to its value, without the label `run`. */
export function parseSeries(text: string, run = 'r'): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (!line.startsWith('threadloom_')) continue;
    const space = line.lastIndexOf(' ');
    const name = line.slice(0, space);
    if (!name.includes(`run="${run}"`)) throw new Error(`Series without run="${run}": ${line}`);
    series.set(
      name
        .replace(/,?run="[^"]*"/, '')
        .replace('{}', '')
        .replace('{,', '{'),
      Number(line.slice(space + 1)),
    );
  }
  return series;
}

export async function seriesOf(metrics: Metrics, run?: string): Promise<Map<string, number>> {
  return parseSeries(await metrics.render(), run);
}

/** A step whose numbers are all different and exact in binary. */
export const STEP: StepRecord = {
  step: 41,
  epoch: 3,
  tokens: 26_240,
  stepTokens: 640,
  loss: 2.5,
  gradNorm: 1.75,
  clipScale: 0.5,
  lr: 0.125,
  tokensPerSecond: 20_480,
  secondsLeft: 96,
  phaseSeconds: { load: 0.03125, compute: 0.5, reduce: 0.0625, clip: 0.00006103515625 },
  tasks: {
    compute: [
      { waitSeconds: 0.0009765625, seconds: 0.25 },
      { waitSeconds: 0.00048828125, seconds: 0.5 },
      { waitSeconds: 0.00048828125, seconds: 0.375 },
    ],
    reduce: [{ waitSeconds: 0.000244140625, seconds: 0.0625 }],
  },
  busySeconds: [0.25, 0.5, 0.375],
  ringFilled: 2,
  bytesRead: 70_000,
};

export const RUN: RunRecord = {
  cell: 'gru',
  hidden: 24,
  layers: 2,
  batch: 16,
  chunk: 40,
  lanes: 8,
  optimizer: 'adam',
  backend: 'wasm',
  variant: 'simd',
  version: '0.1.0',
  workers: 3,
  totalSteps: 500,
  clipNorm: 0.75,
  flopsPerToken: 1024,
  peakFlops: 2 ** 26,
  ringSlots: 3,
  arenaBytes: new Map([
    ['parameters', 4096],
    ['shard', 65_536],
  ]),
};

/** Gradients of a model of `layers` recurrent layers, all of whose numbers differ. */
export function gradientsOf(layers: number): GradientsRecord {
  const recurrent = Array.from({ length: layers }, (_, i) => ({
    layer: String(i),
    gradientNorm: 10 + i,
    updateRatio: 2 ** -10 + i,
    normByLag: [0, 1, 2, 4].map((lag) => ({ lag, norm: 100 * (i + 1) + lag })),
    saturation: ['r', 'z', 'n'].map((gate, j) => ({ gate, share: (i + 1) / (j + 2) / 64 })),
  }));
  const others = { gradientNorm: 3, updateRatio: 0.25 };
  return {
    step: 40,
    layers: [{ ...others, layer: 'embedding' }, ...recurrent, { ...others, layer: 'head' }],
  };
}
