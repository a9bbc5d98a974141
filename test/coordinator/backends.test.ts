import test from 'ava';
import type { CellName } from '../../src/model/spec.ts';
import { ADAM, fillSlot, startTestEngine, type TestBackend } from '../helpers/engine.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';

const LANES = 8;
/** For every set of lanes an id that occurs in these alone. */
const VOCABULARY = 2 ** LANES;
/** Ids of a lane. */
const TIMES = VOCABULARY / 2;

/** The lane's id number `time`, in ascending order of those that have its bit. */
function idOf(lane: number, time: number): number {
  const below = time % 2 ** lane;
  return ((time - below) << 1) | (1 << lane) | below;
}

/** The gradient of the first step, by parameter. */
async function gradients(cell: CellName, backend: TestBackend): Promise<Map<string, Float32Array>> {
  const tested = await startTestEngine({
    spec: {
      cell,
      activation: 'tanh',
      vocabulary: VOCABULARY,
      embed: 17,
      hidden: 33,
      layers: 2,
      dropout: 0.2,
    },
    streams: LANES,
    times: TIMES,
    lanes: LANES,
    workers: 1,
    backend,
    optimizer: ADAM,
  });
  const { plan, engine } = tested;
  await engine.coordinator.initialize();
  await engine.coordinator.packWeights();
  fillSlot(tested, 0, (stream, time) => idOf(stream, time % TIMES));
  await engine.coordinator.step({ slot: 0, fromZero: true, learningRate: 0.01, clipNorm: 0 });
  const { gradient } = plan.layout;
  const found = plan.table.parameters.map(({ name, start, length }) => {
    const first = gradient + start;
    return [name, engine.views.reals.slice(first, first + length)] as const;
  });
  await engine.pool.close();
  return new Map(found);
}

for (const cell of ['lstm', 'gru', 'rnn'] as const) {
  for (const backend of [...NATIVE_VARIANTS, 'wasm'] as const) {
    test(`the gradient of a step is the reference's, whichever lanes an id occurs in: ${cell}, ${backend}`, async (t) => {
      const wanted = await gradients(cell, 'reference');
      const got = await gradients(cell, backend);
      for (const [name, want] of wanted) {
        const largest = Math.max(...want.map(Math.abs));
        const error = Math.max(...want.map((x, i) => Math.abs(x - (got.get(name)?.[i] ?? NaN))));
        t.true(error <= 1e-5 * largest, `${name}: off by ${error}, of at most ${largest}`);
      }
    });
  }
}
