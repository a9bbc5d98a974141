import { createHash } from 'node:crypto';
import test from 'ava';
import { parametersSha256 } from '../../src/checkpoint/parameters-hash.ts';
import type { CellName, ModelSpec } from '../../src/model/spec.ts';
import {
  ADAM,
  fillParameters,
  fillSlot,
  smallSpec,
  startTestEngine,
  type TestBackend,
} from '../helpers/engine.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';

const WORKERS = [1, 2, 3, 5, 8];
const STEPS = 4;
/** 7 lanes of 11 streams: of 1 and 2 streams. */
const SIZES = { streams: 11, times: 5, lanes: 7 };
const OPTIMIZER = { ...ADAM, clipValue: 0.02 };

interface Trained {
  parameters: string;
  moments: string[];
  carries: string;
  losses: number[];
  gradNorms: number[];
  evaluated: number[];
}

const sameBits = test.macro({
  title: (_, cell, backend) =>
    `1, 2, 3, 5 and 8 workers give the same parameters, optimizer state, carries and losses: ${cell}, ${backend}`,
  async exec(t, cell: CellName, backend: TestBackend) {
    const spec = smallSpec(cell);
    const first = await trainWith(spec, 1, backend);
    t.true(first.losses.every((loss) => loss > 0 && loss < 10));
    t.is(new Set(first.losses).size, STEPS);
    for (const workers of WORKERS.slice(1)) {
      t.deepEqual(await trainWith(spec, workers, backend), first, `${workers} workers`);
    }
  },
});

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  test.serial(sameBits, cell, 'wasm');
  test.serial(sameBits, cell, 'reference');
  for (const variant of NATIVE_VARIANTS) test.serial(sameBits, cell, variant);
}

async function trainWith(spec: ModelSpec, workers: number, backend: TestBackend): Promise<Trained> {
  const started = await startTestEngine({ ...SIZES, spec, workers, backend, optimizer: OPTIMIZER });
  const { plan, engine } = started;
  const { coordinator, views, pool } = engine;
  const losses: number[] = [];
  const gradNorms: number[] = [];
  try {
    fillParameters(started);
    await coordinator.packWeights();
    for (let step = 0; step < STEPS; step++) {
      fillSlot(started, 0, (stream, time) => (7 * stream + step + time * time) % spec.vocabulary);
      const outcome = await coordinator.step({
        slot: 0,
        fromZero: step === 0,
        learningRate: 0.01,
        clipNorm: 0.2,
      });
      losses.push(outcome.loss);
      gradNorms.push(outcome.gradNorm);
    }
    const { ids, targets } = plan.layout.evaluationRing[0];
    for (let i = 0; i < SIZES.streams * SIZES.times; i++) {
      views.ints[ids + i] = i % spec.vocabulary;
      views.ints[targets + i] = (i * i) % spec.vocabulary;
    }
    const evaluated = await coordinator.evaluateChunk(plan.evaluation, 0, 0, SIZES.times);
    const words = (offset: number, length: number) =>
      hash(views.reals.slice(offset, offset + length));
    // After an even number of steps the generation lies in the first regions.
    return {
      parameters: parametersSha256(plan.table, coordinator.parameters),
      moments: plan.layout.moments.map(([first]) => words(first, plan.table.paddedLength)),
      carries: words(plan.layout.carries[0], carryLength(spec)),
      losses,
      gradNorms,
      evaluated,
    };
  } finally {
    await pool.close();
  }
}

function carryLength({ cell, layers, hidden }: ModelSpec): number {
  return (cell === 'lstm' ? 2 : 1) * layers * SIZES.streams * hidden;
}

function hash(values: Float32Array): string {
  return createHash('sha256').update(values).digest('hex');
}
