import test from 'ava';
import type { CellName } from '../../src/model/spec.ts';
import {
  ADAM,
  fillSlot,
  gradientsOf,
  startTestEngine,
  type TestBackend,
} from '../helpers/engine.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';

interface Sizes {
  vocabulary: number;
  embed: number;
  hidden: number;
  streams: number;
  times: number;
  lanes: number;
  workers: number;
  token(stream: number, time: number): number;
}

const LANES = 8;

const SIZES: Record<string, Sizes> = {
  // For every set of lanes an id that occurs in these alone: half of the ids in each lane.
  'every set of lanes has an id': {
    vocabulary: 2 ** LANES,
    embed: 17,
    hidden: 33,
    streams: LANES,
    times: 2 ** LANES / 2,
    lanes: LANES,
    workers: 1,
    token: (lane, time) => idWithBit(lane, time % (2 ** LANES / 2)),
  },
  'products of several blocks, lanes and shards of unequal size': {
    vocabulary: 300,
    embed: 70,
    hidden: 300,
    streams: 7,
    times: 9,
    lanes: 5,
    workers: 3,
    token: (stream, time) => (stream * 31 + time ** 3) % 290,
  },
};

/** Of the numbers that have the bit set, in ascending order, the one of that index. */
function idWithBit(bit: number, index: number): number {
  const below = index % 2 ** bit;
  return ((index - below) << 1) | (1 << bit) | below;
}

/** The gradient of the first step, by parameter. */
async function gradients(cell: CellName, sizes: Sizes, backend: TestBackend) {
  const { vocabulary, embed, hidden, streams, times, lanes, workers, token } = sizes;
  const tested = await startTestEngine({
    spec: { cell, activation: 'tanh', vocabulary, embed, hidden, layers: 2, dropout: 0.2 },
    streams,
    times,
    lanes,
    workers,
    backend,
    optimizer: ADAM,
  });
  const { coordinator, pool } = tested.engine;
  await coordinator.initialize();
  await coordinator.packWeights();
  fillSlot(tested, 0, token);
  await coordinator.step({ slot: 0, fromZero: true, learningRate: 0.01, clipNorm: 0 });
  const found = gradientsOf(tested);
  await pool.close();
  return found;
}

function greatest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

for (const [what, sizes] of Object.entries(SIZES)) {
  for (const cell of ['lstm', 'gru', 'rnn'] as const) {
    test(`gradients of a step on every backend are the reference's: ${cell}, ${what}`, async (t) => {
      const wanted = await gradients(cell, sizes, 'reference');
      for (const backend of [...NATIVE_VARIANTS, 'wasm'] as const) {
        const got = await gradients(cell, sizes, backend);
        for (const [name, want] of wanted) {
          const error = greatest(want.map((x, i) => x - got.get(name)![i]));
          t.true(error <= 1e-5 * greatest(want), `${backend}, ${name}: off by ${error}`);
        }
      }
    });
  }
}
