import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { TrainingError } from '../../src/errors.ts';
import type { StagesOutcome } from '../../src/pool/compute-pool.ts';
import type { ComputeTask } from '../../src/pool/compute-protocol.ts';
import type { TaskResult } from '../../src/pool/staged-work.ts';
import { FaultInjector } from '../faults/injector.ts';
import { MOMENTS } from '../faults/orders.ts';
import { startTestEngine } from '../helpers/engine.ts';

const injector = new FaultInjector();
test.after.always(() => injector.remove());

/** A pool whose threads can copy a snapshot; nothing is trained. */
async function startPool(t: ExecutionContext, workers: number) {
  const warnings: string[] = [];
  const threads: Worker[] = [];
  const remember = (thread: Worker) => threads.push(thread);
  process.on('worker', remember);
  t.teardown(() => {
    injector.order([]);
    injector.startsLeft = Number.POSITIVE_INFINITY;
    process.off('worker', remember);
  });
  const { engine } = await startTestEngine(
    {
      streams: 2,
      times: 1,
      lanes: 2,
      workers,
      backend: 'wasm',
      optimizer: { optimizer: 'sgd', momentum: 0, weightDecay: 0, clipValue: 0 },
      spec: {
        cell: 'rnn',
        activation: 'tanh',
        vocabulary: 3,
        embed: 2,
        hidden: 2,
        layers: 1,
        dropout: 0,
      },
    },
    { limitSeconds: 1, onWarning: (message) => warnings.push(message) },
  );
  t.teardown(() => engine.pool.close());
  return { pool: engine.pool, warnings, threads };
}

const copy = (first: number): ComputeTask => ({
  kind: 'snapshot',
  first,
  count: 0,
  generation: 0,
  carries: false,
});

test.serial('a thread that dies between two tasks is counted, told and replaced', async (t) => {
  const { pool, warnings, threads } = await startPool(t, 2);
  const exit = once(threads[0], 'exit');
  void threads[0].terminate();
  await exit;
  await pool.run([copy(0), copy(1)]);
  t.deepEqual(pool.counters, { restarts: 1, repeatedTasks: 0 });
  t.deepEqual(warnings, [
    'A worker thread died between two tasks: the thread ended with exit code 1. Another takes its place.',
  ]);
  t.is(pool.threadIds.length, 2);
});

test.serial('all threads may die in one round', async (t) => {
  const { pool, warnings } = await startPool(t, 3);
  const order = { manner: 'exit', job: 'snapshot', when: 'before', spare: 0 } as const;
  injector.order([
    { ...order, shard: 0 },
    { ...order, shard: 1, times: 2 },
  ]);
  const results = await pool.run([copy(0), copy(1), copy(2)], { step: 4 });
  t.is(results.length, 3);
  t.deepEqual(pool.counters, { restarts: 3, repeatedTasks: 3 });
  t.regex(
    warnings[0],
    /^A worker thread died at step 4, snapshot of shard \d: .*exit code 7\. Its/,
  );
});

test.serial('a new thread that dies while it loads is replaced too', async (t) => {
  const { pool, warnings } = await startPool(t, 1);
  injector.order([
    { manner: 'throw', job: 'snapshot', when: 'before', shard: 0, spare: 0 },
    { manner: 'exit', job: 'ping', when: 'before', shard: 0, spare: 0, times: 2 },
  ]);
  await pool.run([copy(0)]);
  t.deepEqual(pool.counters, { restarts: 3, repeatedTasks: 1 });
  t.regex(
    warnings[0],
    /^A worker thread died at snapshot of shard 0: a fault was injected\. Its task/,
  );
  t.regex(warnings[1], /^A worker thread died while it loaded: .* exit code 7\. Another takes/);
});

test.serial(
  'where no thread can be started any more the round fails, and each one after it',
  async (t) => {
    const { pool } = await startPool(t, 1);
    injector.order([
      { manner: 'exit', job: 'snapshot', when: 'before', shard: 0, spare: 0 },
      { manner: 'throw', job: 'ping', when: 'before', shard: 0, spare: 0, times: 3 },
    ]);
    const message = 'No worker thread could be started in 3 tries: a fault was injected';
    await t.throwsAsync(pool.run([copy(0)]), { instanceOf: TrainingError, message });
    await t.throwsAsync(pool.run([copy(0)]), { instanceOf: TrainingError, message });
    t.is(pool.threadIds.length, 0);
  },
);

test.serial('the others go on where one thread cannot be started any more', async (t) => {
  const { pool } = await startPool(t, 2);
  injector.order([
    { manner: 'exit', job: 'snapshot', when: 'before', shard: 1, spare: 0 },
    { manner: 'exit', job: 'ping', when: 'before', shard: 0, spare: 0, times: 3 },
  ]);
  while (pool.threadIds.length === 2) await pool.run([copy(0), copy(1)]);
  t.is((await pool.run([copy(0), copy(1), copy(2)])).length, 3);
  t.is(pool.counters.restarts, 4);
});

test.serial('a pool that cannot start says why', async (t) => {
  injector.order([{ manner: 'throw', job: 'ping', when: 'before', shard: 0, spare: 0, times: 3 }]);
  await t.throwsAsync(startPool(t, 1), {
    instanceOf: TrainingError,
    message: 'No worker thread could be started in 3 tries: a fault was injected',
  });
});

const REFUSED =
  'the system starts no more threads (EAGAIN): lower --workers, or raise its limit of threads or of memory';

test.serial('a pool for which the system starts too few threads leaves none', async (t) => {
  injector.startsLeft = 1;
  await t.throwsAsync(startPool(t, 3), {
    instanceOf: TrainingError,
    message: `No worker thread could be started in 3 tries: ${REFUSED}`,
  });
  t.is(injector.living.size, 0);
});

test.serial('the others go on where the system starts no thread for one that died', async (t) => {
  const { pool, warnings } = await startPool(t, 2);
  injector.order([{ manner: 'exit', job: 'snapshot', when: 'before', shard: 1, spare: 0 }]);
  injector.startsLeft = 0;
  t.is((await pool.run([copy(0), copy(1)])).length, 2);
  t.is((await pool.run([copy(0), copy(1)])).length, 2);
  t.is(pool.threadIds.length, 1);
  t.deepEqual(pool.counters, { restarts: 1, repeatedTasks: 1 });
  t.is(warnings.length, 2);
  t.is(warnings[1], `No thread takes the place of one that died: ${REFUSED}.`);
});

test.serial('the round fails where the system starts no thread for the last', async (t) => {
  const { pool } = await startPool(t, 1);
  injector.order([{ manner: 'exit', job: 'snapshot', when: 'before', shard: 0, spare: 0 }]);
  injector.startsLeft = 0;
  const message = `No worker thread could be started in 3 tries: ${REFUSED}`;
  await t.throwsAsync(pool.run([copy(0)]), { instanceOf: TrainingError, message });
});

test.serial('a thread that hangs is ended, and its task done by another', async (t) => {
  const { pool, warnings } = await startPool(t, 2);
  injector.order([{ manner: 'hang', job: 'snapshot', when: 'after', shard: 1, spare: 0 }]);
  await pool.run([copy(0), copy(1)], { step: 9 });
  t.deepEqual(warnings, [
    'A worker thread died at step 9, snapshot of shard 1: no progress for 1 s; raise --worker-timeout where the work takes so long. Its task is done again.',
  ]);
});

/** Stages of so many tasks each that read and write nothing. */
const stagesOf = (...sizes: number[]) =>
  sizes.map((size) => ({
    tasks: Array.from({ length: size }, (_, first) => copy(first)),
    place: { step: 4 },
  }));

/** Results of all stages. Throws what one fails with. */
async function resultsOf(running: Promise<StagesOutcome>): Promise<TaskResult[][]> {
  const { results, failure } = await running;
  if (failure) throw failure;
  return results;
}

/** Whether no task began before the last of the stage before it had ended. */
function inOrder(stages: readonly (readonly TaskResult[])[]): boolean {
  const ends = stages.map((tasks) =>
    Math.max(...tasks.map(({ startedSeconds, seconds }) => startedSeconds + seconds)),
  );
  return stages.every((tasks, stage) =>
    tasks.every(({ startedSeconds }) => stage === 0 || startedSeconds >= ends[stage - 1]),
  );
}

for (const workers of [1, 2, 3]) {
  test.serial(`stages follow each other, on ${workers} workers`, async (t) => {
    const { pool } = await startPool(t, workers);
    for (const sizes of [
      [workers, workers, workers],
      [1, workers, 1],
      [5, 1, 4],
      [workers, 1],
    ]) {
      const results = await resultsOf(pool.runStages(stagesOf(...sizes)));
      t.deepEqual(
        results.map(({ length }) => length),
        sizes,
      );
      t.true(inOrder(results));
      t.true(results.flat().every(({ waitSeconds }) => waitSeconds >= 0));
    }
    t.deepEqual(pool.counters, { restarts: 0, repeatedTasks: 0 });
  });
}

for (const when of MOMENTS) {
  for (const stage of [0, 1, 2]) {
    test.serial(
      `a thread that dies in stage ${stage} loses one task at most: ${when}`,
      async (t) => {
        const { pool, warnings } = await startPool(t, 3);
        injector.order([{ manner: 'exit', job: 'snapshot', when, shard: 0, spare: stage }]);
        const results = await resultsOf(pool.runStages(stagesOf(3, 2, 3)));
        t.deepEqual(
          results.map(({ length }) => length),
          [3, 2, 3],
        );
        t.true(inOrder(results));
        // What is recorded is not done again; of the last stage nothing is left to do, and of a share that is over neither.
        const isOver = when === 'arrived' || (when === 'recorded' && stage === 2);
        const repeatedTasks = isOver ? 0 : 1;
        t.deepEqual(pool.counters, { restarts: 1, repeatedTasks });
        const where = repeatedTasks === 1 ? 'at step 4, snapshot of shard 0' : 'between two tasks';
        t.true(warnings[0].startsWith(`A worker thread died ${where}: `), warnings[0]);
      },
    );
  }
}

for (const workers of [1, 2, 3]) {
  test.serial(
    `work given ahead begins when that before it is done, on ${workers} workers`,
    async (t) => {
      const { pool } = await startPool(t, workers);
      const works = Array.from({ length: 20 }, () => stagesOf(workers, 1, workers));
      const results: TaskResult[][] = [];
      for (const [i, stages] of works.entries()) {
        const running = pool.runStages(stages);
        // Sometimes not, and sometimes other work than what follows.
        if (i % 5 < 3) pool.giveAhead(works[i + 1] ?? stages);
        if (i % 5 === 3) pool.giveAhead(stagesOf(1));
        results.push(...(await resultsOf(running)));
        if (i % 4 === 0) results.push(await pool.run([copy(0)]));
      }
      t.true(inOrder(results));
      t.true(results.flat().every(({ waitSeconds }) => waitSeconds >= 0));
      t.deepEqual(pool.counters, { restarts: 0, repeatedTasks: 0 });
    },
  );
}

for (const when of MOMENTS) {
  test.serial(`threads die while work is given ahead: ${when}`, async (t) => {
    const { pool } = await startPool(t, 2);
    const works = Array.from({ length: 8 }, () => stagesOf(2, 2));
    const order = { manner: 'exit', job: 'snapshot', when } as const;
    injector.order([
      { ...order, shard: 0, spare: 3 },
      { ...order, shard: 1, spare: 6 },
      { ...order, shard: 1, spare: 12 },
    ]);
    const results: TaskResult[][] = [];
    for (const [i, stages] of works.entries()) {
      const running = pool.runStages(stages);
      if (works[i + 1]) pool.giveAhead(works[i + 1]);
      results.push(...(await resultsOf(running)));
    }
    t.true(inOrder(results));
    t.is(results.flat().length, 8 * 4);
    t.is(pool.counters.restarts, 3);
  });
}

for (const [stage, spare] of [
  [0, 1],
  [2, 5],
]) {
  test.serial(
    `those who wait for one that hangs in stage ${stage} are not ended too`,
    async (t) => {
      const { pool, warnings } = await startPool(t, 3);
      // Shard 1 is that of two threads; the others wait at the next stage or, after the last one, are done.
      injector.order([{ manner: 'hang', job: 'snapshot', when: 'after', shard: 1, spare }]);
      t.true(inOrder(await resultsOf(pool.runStages(stagesOf(3, 3, 3)))));
      t.is(pool.counters.restarts, 1);
      t.regex(
        warnings[0],
        /^A worker thread died at step 4, snapshot of shard \d: no progress for 1 s;/,
      );
    },
  );
}

test.serial(
  'a task of a stage that fails by itself ends the work, and no later one begins',
  async (t) => {
    const { pool } = await startPool(t, 2);
    const wrong = { kind: 'reduce', shard: 99, parts: 100, generation: 0 } as const;
    const stages = [[copy(0), copy(1)], [copy(0), wrong], [copy(0)]];
    const { results, failure } = await pool.runStages(
      stages.map((tasks, stage) => ({ tasks, place: { step: stage } })),
    );
    t.true(failure instanceof TrainingError);
    const { message, place } = failure as TrainingError;
    t.regex(message, /^A worker failed at step 1, reduce of shard 99: /);
    t.deepEqual(place, { step: 1, phase: 'reduce', shard: 99 });
    t.deepEqual(
      results.map(({ length }) => length),
      [2],
      'what was done before counts',
    );
    t.true(inOrder(await resultsOf(pool.runStages(stagesOf(2, 2)))));
  },
);

test.serial('close ends what is under way', async (t) => {
  const { pool } = await startPool(t, 1);
  injector.order([{ manner: 'hang', job: 'snapshot', when: 'before', shard: 0, spare: 0 }]);
  const run = pool.run([copy(0)]);
  await Promise.all([t.throwsAsync(run, { message: 'The compute pool was closed' }), pool.close()]);
  await t.throwsAsync(pool.run([]), { message: 'The compute pool is busy or closed' });
});
