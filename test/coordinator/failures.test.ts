import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { parametersSha256 } from '../../src/checkpoint/parameters-hash.ts';
import { TrainingError } from '../../src/errors.ts';
import type { BackendRequest } from '../../src/kernels/backend.ts';
import type { ModelSpec } from '../../src/model/spec.ts';
import { fillParameters, fillSlot, startTestEngine, type TestEngine } from '../helpers/engine.ts';

const OPTIMIZER = { optimizer: 'sgd', momentum: 0.9, weightDecay: 0, clipValue: 0 } as const;
const STEP = { slot: 0, fromZero: false, learningRate: 0.1, clipNorm: 1 };
const base = { cell: 'lstm', activation: 'tanh', layers: 2, dropout: 0.1 } as const;

async function start(
  t: ExecutionContext,
  spec: ModelSpec,
  backend: BackendRequest,
  sizes = { streams: 5, times: 4, lanes: 3 },
): Promise<TestEngine> {
  const started = await startTestEngine({
    ...sizes,
    spec,
    workers: 2,
    backend,
    optimizer: OPTIMIZER,
  });
  t.teardown(() => started.engine.pool.close());
  fillParameters(started);
  fillSlot(started, 0, (stream, time) => (3 * stream + time * time) % spec.vocabulary);
  await started.engine.coordinator.packWeights();
  return started;
}

/** What belongs to the committed generation. */
function committed({ plan, engine }: TestEngine): Record<string, Float32Array> {
  const { layout, table } = plan;
  const now = engine.coordinator.generation % 2;
  const words = (offset: number, length: number) =>
    engine.views.reals.slice(offset, offset + length);
  const carry = layout.regions.find(({ name }) => name === 'carry 0')?.length ?? 0;
  return {
    parameters: words(layout.parameters[now], table.paddedLength),
    momentum: words(layout.moments[0][now], table.paddedLength),
    carries: words(layout.carries[now], carry),
  };
}

const SMALL: ModelSpec = { ...base, vocabulary: 11, embed: 4, hidden: 6 };

for (const [parameter, value] of [
  ['embedding.weight', Number.NaN],
  ['rnn.weight_hh_l1', Number.NaN],
  ['head.bias', Number.POSITIVE_INFINITY],
] as const) {
  test(`a gradient that is not finite ends the step before the update: ${value} in ${parameter}`, async (t) => {
    const started = await start(t, SMALL, 'wasm');
    const { coordinator } = started.engine;
    await coordinator.step(STEP);
    const { start: first, length } = started.plan.table.get(parameter);
    coordinator.parameters.fill(value, first, first + length);
    await coordinator.packWeights();
    const before = committed(started);
    const error = await t.throwsAsync(coordinator.step(STEP), { instanceOf: TrainingError });
    t.regex(error.message, /^The gradient of step 2 is not finite \(loss (NaN|Infinity)\): /);
    t.regex(error.message, /: (NaN|-?Infinity) first in (embedding|layer \d|head), [a-z_.\dl]+\. /);
    t.regex(error.message, / The parameters of step 1 are kept\. /);
    t.deepEqual(error.place, { step: 2, phase: 'clip' });
    t.is(coordinator.generation, 1);
    t.deepEqual(committed(started), before);
  });
}

test('the layer named is the first one whose gradient is not finite, though the loss is', async (t) => {
  const spec: ModelSpec = { ...SMALL, cell: 'rnn', activation: 'relu', layers: 1, dropout: 0 };
  const started = await start(t, spec, 'wasm');
  const { engine, plan } = started;
  // All states are 3e38 and all logits 0: only the head's weight gradient, a sum of states, overflows.
  engine.coordinator.parameters.fill(0);
  const { start: first, length } = plan.table.get('rnn.bias_ih_l0');
  engine.coordinator.parameters.fill(3e38, first, first + length);
  await engine.coordinator.packWeights();
  const error = await t.throwsAsync(engine.coordinator.step(STEP), { instanceOf: TrainingError });
  t.regex(error.message, /\(loss 2\.39789\d+\): -?Infinity first in head, head\.weight\./);
});

test('a step given out ahead of one that fails is not begun, and is the next one all the same', async (t) => {
  const undisturbed = await start(t, SMALL, 'wasm');
  await undisturbed.engine.coordinator.step(STEP);
  const { loss } = await undisturbed.engine.coordinator.step(STEP);

  const started = await start(t, SMALL, 'wasm');
  const { coordinator } = started.engine;
  await coordinator.step(STEP);
  const whole = coordinator.parameters.slice();
  const { start: first, length } = started.plan.table.get('rnn.weight_hh_l1');
  coordinator.parameters.fill(Number.NaN, first, first + length);
  await coordinator.packWeights();
  const before = committed(started);
  const next = { ...STEP };
  await t.throwsAsync(coordinator.step(STEP, next), { instanceOf: TrainingError });
  t.deepEqual(committed(started), before);
  // The pool still works: the state can be saved, and training can go on.
  await coordinator.snapshot();
  t.is(coordinator.generation, 1);
  coordinator.parameters.set(whole);
  await coordinator.packWeights();
  await t.throwsAsync(coordinator.step({ ...STEP, slot: 99 }, next), { instanceOf: TrainingError });
  await coordinator.packWeights();
  t.is((await coordinator.step(next)).loss, loss);
});

test('what is asked for between two steps takes back the one that was given out ahead', async (t) => {
  const sizes = { streams: 5, times: 4, lanes: 3 };
  const train = async (ahead: boolean) => {
    const started = await start(t, SMALL, 'wasm', sizes);
    const { coordinator } = started.engine;
    const results: unknown[] = [];
    for (let step = 0; step < 4; step++) {
      // Once it goes on with what was given out ahead, or would have; then with something else.
      const request = { ...STEP, learningRate: 0.1 * (step + 1) };
      results.push(await coordinator.step(request, ahead ? { ...STEP } : undefined));
      results.push(await coordinator.evaluateChunk(started.plan.evaluation, 0, 0, sizes.times));
      results.push(await coordinator.sample(1, 5));
      await coordinator.snapshot();
      results.push(committed(started));
    }
    return results.map((result) =>
      typeof result === 'object' && result !== null && 'loss' in result ? result.loss : result,
    );
  };
  t.deepEqual(await train(true), await train(false));
});

test('another step than the one that was given out ahead begins as if that had not been', async (t) => {
  const train = async (ahead: number) => {
    const { engine, plan } = await start(t, SMALL, 'wasm');
    const { coordinator, views } = engine;
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      const request = { ...STEP, learningRate: 0.1 * (step + 1) };
      const next = Array.from({ length: ahead }, () => ({ ...STEP }));
      const { start: first, length } = plan.table.get('head.bias');
      const last = plan.layout.parameters[coordinator.generation % 2] + first + length - 1;
      const value = views.reals[last];
      const { steps } = await coordinator.steps([request], next);
      losses.push(steps[0].loss);
      // Until the last parameter has been updated ahead: threads need no coordinator for it.
      while (ahead > 0 && views.reals[last] === value);
    }
    return losses;
  };
  const undisturbed = await train(0);
  t.deepEqual(await train(1), undisturbed);
  // The others are not begun: they would write where the parameters are that it goes back to.
  t.deepEqual(await train(4), undisturbed);
});

for (const [what, second, message] of [
  ['fails by itself', { ...STEP, slot: 99 }, /^A worker failed at step 2, train of shard \d: /],
  ['is not finite', STEP, /^The gradient of step 2 is not finite /],
] as const) {
  test(`of steps that are given out at once those before one that ${what} have happened, and none after it`, async (t) => {
    const first = {
      ...STEP,
      clipNorm: 0,
      learningRate: second === STEP ? Number.POSITIVE_INFINITY : 0.1,
    };
    const single = await start(t, SMALL, 'wasm');
    const { loss } = await single.engine.coordinator.step(first);

    const started = await start(t, SMALL, 'wasm');
    const { coordinator } = started.engine;
    const { steps, failure } = await coordinator.steps([first, second, STEP], [{ ...STEP }]);
    t.true(failure instanceof TrainingError);
    t.regex((failure as TrainingError).message, message);
    t.deepEqual(
      steps.map((step) => step.loss),
      [loss],
    );
    t.is(coordinator.generation, 1);
    t.deepEqual(committed(started), committed(single));
    await coordinator.snapshot();
    t.is(coordinator.generation, 1);
    t.deepEqual(committed(started), committed(single));
  });
}

test('more steps than can be given out at once are refused, and hold up nothing', async (t) => {
  const { coordinator } = (await start(t, SMALL, 'wasm')).engine;
  const five = new Array<typeof STEP>(5).fill(STEP);
  await t.throwsAsync(coordinator.steps(five), { message: 'Expected at most 4 steps at once' });
  await t.throwsAsync(coordinator.steps([STEP], five), { message: /at most 4/ });
  await coordinator.step(STEP);
  t.is(coordinator.generation, 1);
});

test('a loss that is not finite ends the step before the update, though the gradient is finite', async (t) => {
  const started = await start(t, SMALL, 'wasm');
  const { engine, plan } = started;
  await engine.coordinator.step(STEP);
  // The loss of every target but 0 is 6e38, which float32 does not hold; its gradient is at most 1.
  const { start: first, length } = plan.table.get('head.bias');
  engine.coordinator.parameters.fill(-3e38, first, first + length);
  engine.coordinator.parameters[first] = 3e38;
  await engine.coordinator.packWeights();
  const before = committed(started);
  const error = await t.throwsAsync(engine.coordinator.step(STEP), { instanceOf: TrainingError });
  t.regex(
    error.message,
    /^The loss of step 2 is not finite: Infinity\. The parameters of step 1 are/,
  );
  t.is(engine.coordinator.generation, 1);
  t.deepEqual(committed(started), before);
});

/** Long enough a step on the reference backend that a thread ended at its start is ended within it. */
const LARGE: ModelSpec = { ...base, vocabulary: 40, embed: 16, hidden: 48 };
const LARGE_SIZES = { streams: 8, times: 12, lanes: 4 };

async function trainLarge(t: ExecutionContext, disturb: (step: number) => void) {
  const started = await start(t, LARGE, 'reference', LARGE_SIZES);
  const { coordinator, pool } = started.engine;
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    const outcome = coordinator.step({ ...STEP, fromZero: step === 0 });
    disturb(step);
    losses.push((await outcome).loss);
  }
  const sha256 = parametersSha256(started.plan.table, coordinator.parameters);
  const { carries, momentum } = committed(started);
  return { losses, sha256, carries, momentum, counters: { ...pool.counters }, ids: pool.threadIds };
}

test.serial('a task whose thread dies is repeated, and the bits are the same', async (t) => {
  const { counters: none, ids: _, ...undisturbed } = await trainLarge(t, () => {});
  t.deepEqual(none, { restarts: 0, repeatedTasks: 0 });

  const threads: Worker[] = [];
  const remember = (thread: Worker) => threads.push(thread);
  process.on('worker', remember);
  t.teardown(() => process.off('worker', remember));
  const { counters, ids, ...disturbed } = await trainLarge(t, (step) => {
    if (step === 1) void threads[0].terminate();
  });
  t.deepEqual(disturbed, undisturbed);
  t.is(counters.repeatedTasks, 1);
  t.true(counters.restarts >= 1);
  t.is(threads.length, 3);
  t.is(ids.length, 2);
});

test('a task that fails by itself is not repeated, and says where it was', async (t) => {
  const { engine } = await start(t, SMALL, 'wasm');
  const task = { kind: 'reduce', shard: 99, parts: 100, generation: 0 } as const;
  const error = await t.throwsAsync(engine.pool.run([{ kind: 'ping' }, task], { step: 3 }), {
    instanceOf: TrainingError,
  });
  t.regex(error.message, /^A worker failed at step 3, reduce of shard 99: /);
  t.deepEqual(error.place, { step: 3, phase: 'reduce', shard: 99 });
  t.true(error.cause instanceof Error);
  t.deepEqual(engine.pool.counters, { restarts: 0, repeatedTasks: 0 });
  t.is((await engine.pool.run([{ kind: 'ping' }])).length, 1);
});
