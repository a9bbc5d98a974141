import test from 'ava';
import { probeGradients } from '../../src/coordinator/gradient-probe.ts';
import type { CellName } from '../../src/model/spec.ts';
import {
  fillParameters,
  fillSlot,
  smallSpec,
  startTestEngine,
  type TestBackend,
  type TestEngine,
} from '../helpers/engine.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';

const BACKENDS = ['wasm', 'reference', ...NATIVE_VARIANTS] as const;
const SIZES = { streams: 11, times: 5, lanes: 3 };
const OPTIMIZER = {
  optimizer: 'sgd',
  momentum: 0,
  nesterov: false,
  weightDecay: 0,
  clipValue: 0,
} as const;
const STEPS = 3;

/** A small training that has done some steps, the last with the chunk in `slot`. */
async function trained(cell: CellName, backend: TestBackend, workers: number, sizes = SIZES) {
  const spec = smallSpec(cell);
  const started = await startTestEngine({ spec, ...sizes, workers, backend, optimizer: OPTIMIZER });
  fillParameters(started);
  const { coordinator } = started.engine;
  await coordinator.packWeights();
  let source = { slot: 0, fromZero: true };
  for (let step = 0; step < STEPS; step++) {
    source = { slot: step % 3, fromZero: step === 0 };
    fillSlot(started, source.slot, (stream, time) => (7 * stream + time * (step + 2)) % 23);
    await coordinator.step({ ...source, learningRate: 0.5, clipNorm: 0.01 });
  }
  return { ...started, source };
}

/** Bytes of all regions but the workspace of the first shard. */
function arenaOf({ plan, engine }: TestEngine): Map<string, Buffer> {
  const bytes = Buffer.from(engine.memory.buffer);
  const regions = plan.layout.regions.filter(({ name }) => !name.startsWith('shard 0 '));
  return new Map(
    regions.map(({ name, offset, length, type }) => {
      const size = length * (type === 'float64' ? 8 : 4);
      return [name, Buffer.from(bytes.subarray(4 * offset, 4 * offset + size))];
    }),
  );
}

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  for (const backend of BACKENDS) {
    test.serial(
      `a probe gives the same on 1, 2, 3 and 5 workers, and writes nothing that training reads: ${cell}, ${backend}`,
      async (t) => {
        let first: unknown;
        for (const workers of [1, 2, 3, 5]) {
          const engine = await trained(cell, backend, workers);
          t.teardown(() => engine.engine.pool.close());
          const before = arenaOf(engine);
          const layers = await probeGradients(engine.plan, engine.engine, engine.source);
          t.deepEqual(arenaOf(engine), before);
          t.deepEqual(
            layers.map(({ layer, normByLag }) => [layer, normByLag?.map(({ lag }) => lag)]),
            [
              ['embedding', undefined],
              ['0', [0, 1, 2, 4]],
              ['1', [0, 1, 2, 4]],
              ['head', undefined],
            ],
          );
          first ??= layers;
          t.deepEqual(layers, first, `${workers} workers`);
        }
      },
    );
  }
}

test('norms and update ratios of the layers are those of the arena', async (t) => {
  const engine = await trained('gru', 'reference', 2);
  t.teardown(() => engine.engine.pool.close());
  const { layout, table } = engine.plan;
  const { reals } = engine.engine.views;
  const [before, after] = [layout.parameters[(STEPS - 1) % 2], layout.parameters[STEPS % 2]];
  const norm = (layer: string, value: (element: number) => number) => {
    let squares = 0;
    for (const { start, length, layer: owner } of table.parameters) {
      for (let i = start; owner === layer && i < start + length; i++) squares += value(i) ** 2;
    }
    return Math.sqrt(squares);
  };
  const close = (actual: number, wanted: number) =>
    t.true(Math.abs(actual - wanted) <= 1e-12 * wanted, `${actual}, ${wanted}`);
  const layers = await probeGradients(engine.plan, engine.engine, engine.source);
  for (const { layer, gradientNorm, updateRatio } of layers) {
    const name = /^\d+$/.test(layer) ? `layer ${layer}` : layer;
    const gradient = norm(name, (i) => reals[layout.gradient + i]);
    t.true(gradient > 0);
    close(gradientNorm, gradient / (SIZES.streams * SIZES.times));
    const update = norm(name, (i) => reals[after + i] - reals[before + i]);
    close(updateRatio, update / norm(name, (i) => reals[before + i]));
  }
  // Clipped to a norm of 0.01, so the update of all is 0.5 · 0.01: the norms shown are those before it.
  const all = Math.hypot(...layers.map(({ gradientNorm }) => gradientNorm));
  t.true(all > 0.1, `${all}`);
});

test('the carry that the step began with is what the probe begins with', async (t) => {
  const engine = await trained('lstm', 'reference', 1);
  t.teardown(() => engine.engine.pool.close());
  const probe = (fromZero: boolean) =>
    probeGradients(engine.plan, engine.engine, { slot: engine.source.slot, fromZero });
  const carried = await probe(false);
  const { layout } = engine.plan;
  const { reals } = engine.engine.views;
  const length = layout.regions.find(({ name }) => name === 'carry 0')!.length;
  const start = layout.carries[(STEPS - 1) % 2];
  t.true(reals.subarray(start, start + length).some((value) => value !== 0));
  reals.fill(0, start, start + length);
  const zero = await probe(true);
  t.notDeepEqual(carried, zero);
  t.deepEqual(await probe(false), zero);
});

test('one stream, one time step and more workers than lanes', async (t) => {
  const engine = await trained('gru', 'wasm', 3, { streams: 1, times: 1, lanes: 1 });
  t.teardown(() => engine.engine.pool.close());
  const layers = await probeGradients(engine.plan, engine.engine, engine.source);
  t.deepEqual(
    layers.map(({ normByLag }) => normByLag?.length),
    [undefined, 1, 1, undefined],
  );
});
