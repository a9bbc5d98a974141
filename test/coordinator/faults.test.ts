/** Threads of the pool die at moments that a seed draws; nothing of it is seen in the result. */
import test from 'ava';
import { TrainingError } from '../../src/errors.ts';
import type { BackendRequest } from '../../src/kernels/backend.ts';
import type { CellName } from '../../src/model/spec.ts';
import { FaultInjector } from '../faults/injector.ts';
import type { Order } from '../faults/orders.ts';
import { drawOrders, drawsOf } from '../faults/random.ts';
import { POOL_ORDERS, startSmallEngine, trainSmall } from '../faults/small-engine.ts';
import { fillParameters, fillSlot } from '../helpers/engine.ts';

const injector = new FaultInjector();
test.after.always(() => injector.remove());

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
    const onWarning = (message: string) => warnings.push(message);
    injector.order([]);
    const started = await startSmallEngine(cell, backend, workers, onWarning);
    t.teardown(() => started.engine.pool.close());
    const undisturbed = await trainSmall(started, { atOnce: 1, ahead: false });
    for (const atOnce of [1, 2, 3, 4]) {
      t.deepEqual(await trainSmall(started, { atOnce, ahead: true }), undisturbed);
    }
    t.deepEqual(warnings, []);
    for (let seed = first; seed < first + schedules; seed++) {
      const orders = drawOrders(drawsOf(seed), POOL_ORDERS);
      injector.order(orders);
      t.deepEqual(
        await trainSmall(started, { atOnce: 1 + (seed % 4), ahead: seed % 5 > 0 }),
        undisturbed,
        `seed ${seed}: ${JSON.stringify(orders)}`,
      );
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
    const started = await startSmallEngine('lstm', 'wasm', 2, (message) => warnings.push(message));
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
test.serial(deadly, { manner: 'hang', job: 'update', when: 'after' });
