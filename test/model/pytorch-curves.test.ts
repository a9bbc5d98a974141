import { readFileSync } from 'node:fs';
import test from 'ava';
import { fillParameters, fillSlot, startTestEngine, type TestBackend } from '../helpers/engine.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';

interface Fixture {
  streams: number;
  times: number;
  chunks: number;
  steps: number;
  vocabulary: number;
  embed: number;
  hidden: number;
  layers: number;
  learningRate: number;
  momentum: number;
  clipNorm: number;
  cells: Record<string, { losses: number[]; gradNorms: number[] }>;
}

/** Made by scripts/pytorch-curves.py. */
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/pytorch-curves.json', import.meta.url), 'utf8'),
);

const specs = {
  'rnn tanh': { cell: 'rnn', activation: 'tanh' },
  'rnn relu': { cell: 'rnn', activation: 'relu' },
  lstm: { cell: 'lstm', activation: 'tanh' },
  gru: { cell: 'gru', activation: 'tanh' },
} as const;

const sameCurve = test.macro({
  title: (_, name, backend) =>
    `20 steps of SGD with carried states and clipping give PyTorch's losses and norms: ${name}, ${backend}`,
  async exec(t, name: keyof typeof specs, backend: TestBackend) {
    const { losses, gradNorms } = await trainAsPyTorch(name, backend);
    t.deepEqual(deviations(losses, fixture.cells[name].losses), []);
    t.deepEqual(deviations(gradNorms, fixture.cells[name].gradNorms), []);
  },
});

for (const backend of ['reference', 'wasm', 'auto', ...NATIVE_VARIANTS] as const) {
  for (const name of Object.keys(specs) as (keyof typeof specs)[]) {
    test(sameCurve, name, backend);
  }
}

async function trainAsPyTorch(name: keyof typeof specs, backend: TestBackend) {
  const { streams, times, chunks, steps, vocabulary, embed, hidden, layers, momentum } = fixture;
  const started = await startTestEngine({
    spec: { ...specs[name], vocabulary, embed, hidden, layers, dropout: 0 },
    streams,
    times,
    lanes: 3,
    workers: 2,
    backend,
    optimizer: { optimizer: 'sgd', momentum, nesterov: false, weightDecay: 0, clipValue: 0 },
  });
  const { coordinator, pool } = started.engine;
  const losses: number[] = [];
  const gradNorms: number[] = [];
  try {
    fillParameters(started);
    await coordinator.packWeights();
    for (let step = 0; step < steps; step++) {
      const first = (step % chunks) * times;
      fillSlot(started, 0, (stream, time) => token(stream, first + time));
      const { loss, gradNorm } = await coordinator.step({
        slot: 0,
        fromZero: step % chunks === 0,
        learningRate: fixture.learningRate,
        clipNorm: fixture.clipNorm,
      });
      losses.push(loss);
      gradNorms.push(gradNorm);
    }
  } finally {
    await pool.close();
  }
  return { losses, gradNorms };
}

/** The fixture's token of a stream at a time step. */
function token(stream: number, time: number): number {
  return (3 * stream + time * time + Math.floor(time / 3)) % fixture.vocabulary;
}

/** Steps whose value is more than 1e-4 (relative) away. */
function deviations(values: readonly number[], expected: readonly number[]) {
  return expected
    .map((value, step) => ({ step, value: values[step], expected: value }))
    .filter((entry) => !(Math.abs(entry.value - entry.expected) <= 1e-4 * entry.expected));
}
