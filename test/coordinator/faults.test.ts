/** Threads of the pool die at moments that a seed draws; nothing of it is seen in the result. */
import { createHash } from 'node:crypto';
import test from 'ava';
import { TrainingError } from '../../src/errors.ts';
import type { BackendRequest } from '../../src/kernels/backend.ts';
import type { CellName, ModelSpec } from '../../src/model/spec.ts';
import { FaultInjector } from '../faults/injector.ts';
import type { Job, Order } from '../faults/orders.ts';
import { drawOrders, drawsOf } from '../faults/random.ts';
import { fillParameters, fillSlot, startTestEngine, type TestEngine } from '../helpers/engine.ts';

const STEPS = 3;
const SIZES = { streams: 7, times: 4, lanes: 5 };
const OPTIMIZER = {
  optimizer: 'adam',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipValue: 0,
} as const;
/** All that an engine does in a run of the test. */
const POOL_JOBS: readonly Job[] = [
  'ping',
  'initialize',
  'pack',
  'train',
  'reduce',
  'update',
  'snapshot',
  'evaluate',
];

const injector = new FaultInjector();
test.after.always(() => injector.remove());

function startEngine(cell: CellName, backend: BackendRequest, workers: number, warnings: string[]) {
  const spec: ModelSpec = {
    cell,
    activation: 'tanh',
    vocabulary: 13,
    embed: 4,
    hidden: 6,
    layers: 2,
    dropout: 0.2,
  };
  const onWarning = (message: string) => warnings.push(message);
  const options = { ...SIZES, spec, workers, backend, optimizer: OPTIMIZER };
  return startTestEngine(options, { limitSeconds: 1, onWarning });
}

/** A whole small run from generation 0 on; everything that belongs to its result. */
async function train({ plan, engine }: TestEngine): Promise<object> {
  const { coordinator, views } = engine;
  const { layout, table } = plan;
  const words = (offset: number, length: number) =>
    createHash('sha256')
      .update(views.reals.slice(offset, offset + length))
      .digest('hex');
  const region = (name: string) => {
    const { offset, length } = layout.regions.find((candidate) => candidate.name === name)!;
    return words(offset, length);
  };
  coordinator.generation = 0;
  for (const moment of layout.moments)
    views.reals.fill(0, moment[0], moment[0] + table.paddedLength);
  await coordinator.initialize();
  await coordinator.packWeights();
  const outcomes: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    fillSlot({ plan, engine }, 0, (stream, time) => (5 * stream + step + time * time) % 13);
    const request = { slot: 0, fromZero: step === 0, learningRate: 0.01, clipNorm: 0.2 };
    const { loss, gradNorm, clipScale } = await coordinator.step(request);
    outcomes.push(loss, gradNorm, clipScale);
  }
  await coordinator.snapshot();
  const now = STEPS % 2;
  const { ids, targets } = layout.evaluationRing[0];
  for (let i = 0; i < SIZES.streams * SIZES.times; i++) {
    views.ints[ids + i] = i % 13;
    views.ints[targets + i] = (i * i) % 13;
  }
  const evaluated = await coordinator.evaluateChunk(plan.evaluation, 0, 0, SIZES.times);
  return {
    outcomes,
    evaluated,
    parameters: words(layout.parameters[now], table.paddedLength),
    moments: layout.moments.map((moment) => words(moment[now], table.paddedLength)),
    carry: region(`carry ${now}`),
    snapshots: ['parameters', 'moments 0', 'moments 1', 'carry'].map((of) =>
      region(`snapshot ${of}`),
    ),
  };
}

const randomDeaths = test.macro({
  title: (
    _,
    cell: CellName,
    backend: BackendRequest,
    workers: number,
    schedules: number,
    first: number,
  ) =>
    `seeds ${first} to ${first + schedules - 1}: threads die anywhere and the bits are the same: ${cell}, ${backend}, ${workers} workers`,
  async exec(
    t,
    cell: CellName,
    backend: BackendRequest,
    workers: number,
    schedules: number,
    first: number,
  ) {
    const warnings: string[] = [];
    injector.order([]);
    const started = await startEngine(cell, backend, workers, warnings);
    t.teardown(() => started.engine.pool.close());
    const undisturbed = await train(started);
    t.deepEqual(warnings, []);
    for (let seed = first; seed < first + schedules; seed++) {
      const orders = drawOrders(drawsOf(seed), POOL_JOBS, 3, 4);
      injector.order(orders);
      t.deepEqual(await train(started), undisturbed, `seed ${seed}: ${JSON.stringify(orders)}`);
    }
    injector.order([]);
    t.log(
      `${warnings.length} deaths, ${started.engine.pool.counters.repeatedTasks} tasks repeated`,
    );
    t.is(started.engine.pool.counters.restarts, warnings.length);
    t.true(warnings.length > schedules / 2);
  },
});

test.serial(randomDeaths, 'lstm', 'wasm', 2, 60, 1000);
test.serial(randomDeaths, 'gru', 'reference', 3, 50, 2000);
test.serial(randomDeaths, 'rnn', 'wasm', 1, 50, 3000);
test.serial(randomDeaths, 'lstm', 'auto', 3, 40, 4000);

const deadly = test.macro({
  title: (_, order: Omit<Order, 'spare' | 'shard'>) =>
    `the third death of one task ends the step, and its state is kept: ${order.manner} ${order.when} ${order.job}`,
  async exec(t, order: Omit<Order, 'spare' | 'shard'>) {
    injector.order([]);
    const warnings: string[] = [];
    const started = await startEngine('lstm', 'wasm', 2, warnings);
    const { coordinator, pool } = started.engine;
    t.teardown(() => pool.close());
    fillParameters(started);
    fillSlot(started, 0, (stream, time) => (3 * stream + time) % 13);
    await coordinator.packWeights();
    const request = { slot: 0, fromZero: true, learningRate: 0.01, clipNorm: 1 };
    await coordinator.step(request);
    const before = coordinator.parameters.slice();
    injector.order([{ ...order, shard: 1, spare: 0, times: 3 }]);
    const error = await t.throwsAsync(coordinator.step(request), { instanceOf: TrainingError });
    t.regex(
      error.message,
      new RegExp(`^A worker failed 3 times at step 2, ${order.job} of shard 1: `),
    );
    t.like(error.place, { step: 2, phase: order.job, shard: 1 });
    t.is(coordinator.generation, 1);
    t.deepEqual(coordinator.parameters, before);
    t.is(pool.counters.restarts, 3);
    t.is(pool.counters.repeatedTasks, 2);
    t.is(warnings.length, 3);
    // The pool still works: the state can be saved.
    await coordinator.snapshot();
    t.is(pool.threadIds.length, 2);
  },
});

test.serial(deadly, { manner: 'exit', job: 'train', when: 'before' });
test.serial(deadly, { manner: 'throw', job: 'reduce', when: 'after' });
test.serial(deadly, { manner: 'memory', job: 'update', when: 'before' });
test.serial(deadly, { manner: 'hang', job: 'pack', when: 'after' });
