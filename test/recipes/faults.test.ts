/** Whole runs whose threads die: workers, the loader and the checkpoint writer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { TrainingError } from '../../src/errors.ts';
import { evaluate } from '../../src/recipes/evaluate.ts';
import { inspect } from '../../src/recipes/inspect.ts';
import type { TrainObserver, TrainResult } from '../../src/recipes/reports.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { FaultInjector } from '../faults/injector.ts';
import type { Order } from '../faults/orders.ts';
import {
  checkpointSteps,
  linesOf,
  logsOf,
  noteWarnings,
  runPlace,
  TINY_SETTINGS,
} from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';

const SETTINGS: Settings = {
  ...TINY_SETTINGS,
  steps: 12,
  evalEvery: 5,
  checkpointEvery: 3,
  keep: 9,
  dropout: 0.2,
  gradientsEvery: 4,
  workerTimeout: 3,
};

const shared = mkdtempSync(join(tmpdir(), 'threadloom-'));
const files = [writeText(shared)];
const undisturbed: Promise<TrainResult> = train({ ...SETTINGS, files, run: join(shared, 'whole') });
const injector = new FaultInjector();
test.after.always(() => {
  injector.remove();
  rmSync(shared, { recursive: true });
});

function disturbed(t: ExecutionContext, orders: readonly Order[]) {
  injector.order(orders);
  t.teardown(() => {
    injector.order([]);
    injector.startsLeft = Number.POSITIVE_INFINITY;
  });
  const { settings } = runPlace(t);
  const warnings: string[] = [];
  const saved: number[] = [];
  const options: TrainObserver = {
    onWarning: noteWarnings(warnings),
    onCheckpoint: ({ step }) => saved.push(step),
  };
  return { settings: settings('r', SETTINGS), warnings, saved, options };
}

const ANY = { shard: -1, spare: 0 } as const;

const goesOn = test.macro({
  title: (_, orders: Order[]) =>
    `a run goes on as if nothing had been: ${orders.map(({ manner, job, when }) => `${manner} ${when} ${job}`).join(', ')}`,
  async exec(t, orders: Order[], thread: RegExp) {
    const whole = await undisturbed;
    const { settings, warnings, saved, options } = disturbed(t, orders);
    const result = await train(settings, options);
    t.is(
      injector.done.length,
      orders.reduce((sum, { times = 1 }) => sum + times, 0),
    );
    t.is(result.paramsSha256, whole.paramsSha256);
    t.is(result.bestEvalLoss, whole.bestEvalLoss);
    t.deepEqual(logsOf(result.run), logsOf(whole.run));
    // The last one is written again, as that of a finished run.
    t.deepEqual(checkpointSteps(result.run), [...new Set(saved)]);
    t.deepEqual(result.failures, []);
    t.true(warnings.length >= orders.length);
    t.true(
      warnings.every((warning) => thread.test(warning)),
      warnings.join('\n'),
    );
  },
});

const LOADER = /^The loader thread .* Its (scan|use|fill) is done again by a new one\.$/;
const WRITER = /^The checkpoint writer thread .* Its write is done again by a new one\.$/;
const WORKER =
  /^A worker thread died at (step \d+, )?[a-z]+ of shard \d: .* Its task is done again\.$/;

for (const job of ['scan', 'use', 'fill'] as const) {
  test.serial(goesOn, [{ ...ANY, manner: 'exit', job, when: 'before' }], LOADER);
  test.serial(goesOn, [{ ...ANY, manner: 'throw', job, when: 'after' }], LOADER);
}
test.serial(goesOn, [{ ...ANY, manner: 'memory', job: 'fill', when: 'before', spare: 4 }], LOADER);
test.serial(goesOn, [{ ...ANY, manner: 'hang', job: 'fill', when: 'after', spare: 5 }], LOADER);
for (const manner of ['exit', 'throw', 'memory', 'hang', 'terminate'] as const) {
  test.serial(goesOn, [{ ...ANY, manner, job: 'write', when: 'before', spare: 1 }], WRITER);
}
test.serial(goesOn, [{ ...ANY, manner: 'exit', job: 'write', when: 'after', times: 2 }], WRITER);
test.serial(
  goesOn,
  (['initialize', 'pack', 'train', 'reduce', 'update', 'snapshot', 'evaluate'] as const).map(
    (job, i): Order => ({
      ...ANY,
      manner: i % 2 ? 'exit' : 'throw',
      job,
      when: 'after',
      spare: i % 4,
    }),
  ),
  WORKER,
);

test.serial(
  goesOn,
  [
    { ...ANY, manner: 'exit', job: 'flow', when: 'after' },
    { ...ANY, manner: 'throw', job: 'flow', when: 'before', spare: 2 },
    { ...ANY, manner: 'exit', job: 'squares', when: 'after', spare: 2 },
  ],
  WORKER,
);

test.serial('a run goes on where the system starts no thread for a worker that died', async (t) => {
  const whole = await undisturbed;
  const order = { ...ANY, manner: 'exit', job: 'train', when: 'before', spare: 7 } as const;
  const { settings, warnings, options } = disturbed(t, [order]);
  const onEvaluation = () => {
    injector.startsLeft = 0;
  };
  const result = await train(settings, { ...options, onEvaluation });
  t.is(result.paramsSha256, whole.paramsSha256);
  t.deepEqual(logsOf(result.run), logsOf(whole.run));
  t.is(warnings.length, 2);
});

for (const [started, message] of [
  [0, /^The server thread could not be started: the system starts no more threads /],
  [1, /^The loader thread could not be started: .* That was 3 times at scan\.$/],
  [2, /^No worker thread could be started in 3 tries: the system starts no more threads /],
  [3, /^No worker thread could be started in 3 tries: the system starts no more threads /],
  [4, /^The checkpoint writer thread could not be started: .* That was 3 times at write\.$/],
] as const) {
  test.serial(
    `a run for which the system starts ${started} threads ends and leaves none`,
    async (t) => {
      const { settings, options } = disturbed(t, []);
      await undisturbed;
      injector.startsLeft = started;
      const served = { ...settings, metrics: true, metricsPort: 0 };
      const error = await t.throwsAsync(train(served, options), { instanceOf: TrainingError });
      t.regex(error.message, message);
      t.is(error.exitCode, 1);
      t.is(injector.living.size, 0);
    },
  );
}

const endsWith = test.macro({
  title: (_, order: Order) =>
    `the third death at one ${order.job} ends the run with the cause, its last checkpoint valid`,
  async exec(t, order: Order, message: RegExp, ...saved: number[]) {
    const whole = await undisturbed;
    const { settings, options } = disturbed(t, [{ ...order, times: 3 }]);
    const error = await t.throwsAsync(train(settings, options), { instanceOf: TrainingError });
    t.is(error.exitCode, 1);
    t.regex(error.message, message);
    injector.order([]);
    t.true(saved.includes(inspect(String(settings.run)).step));
    const resumed = await resume(String(settings.run));
    t.is(resumed.paramsSha256, whole.paramsSha256);
    t.deepEqual(logsOf(resumed.run), logsOf(whole.run));
  },
});

test.serial(
  endsWith,
  { manner: 'exit', job: 'train', when: 'before', shard: 1, spare: 7 },
  /^A worker failed 3 times at step 8, train of shard 1: the thread ended with exit code 7$/,
  7,
);
test.serial(
  endsWith,
  { manner: 'exit', job: 'flow', when: 'before', shard: 0, spare: 1 },
  /^A worker failed 3 times at step 8, flow of shard 0: the thread ended with exit code 7$/,
  7,
);
test.serial(
  endsWith,
  { manner: 'throw', job: 'update', when: 'before', shard: 0, spare: 5 },
  /^A worker failed 3 times at step 6, update of shard 0: a fault was injected$/,
  5,
);
test.serial(
  endsWith,
  // The first call is of the validation, the second of eight chunks; the third of the next validation or of the chunks after
  // these, whichever comes first.
  { ...ANY, manner: 'exit', job: 'fill', when: 'before', spare: 2 },
  /^The loader thread ended unexpectedly with exit code 7\. That was 3 times at fill\.$/,
  5,
  8,
);
test.serial(
  endsWith,
  { ...ANY, manner: 'throw', job: 'write', when: 'after', spare: 2 },
  /^The checkpoint writer thread failed: a fault was injected\. That was 3 times at write\.$/,
  5,
);

const allBeforeAreLogged = test.macro({
  title: (_, order: Order) =>
    `while a thread hangs at ${order.job}, all steps that were given out before are in the log`,
  async exec(t, order: Order, steps: number) {
    const { settings, options } = disturbed(t, [order]);
    const logged: number[] = [];
    const onWarning = () =>
      logged.push(...linesOf(logsOf(settings.run!).steps).map(({ step }) => step));
    const nothingDue = { evalEvery: 100, checkpointEvery: 100, gradientsEvery: 100 };
    await train({ ...settings, ...nothingDue }, { ...options, stepsAtOnce: 1, onWarning });
    t.deepEqual(
      logged,
      Array.from({ length: steps }, (_, i) => i + 1),
    );
  },
});

test.serial(
  allBeforeAreLogged,
  { manner: 'hang', job: 'train', when: 'before', shard: 1, spare: 7 },
  7,
);
// The first call is of the validation, the second of eight chunks, the third of those after them.
test.serial(
  allBeforeAreLogged,
  { ...ANY, manner: 'hang', job: 'fill', when: 'before', spare: 2 },
  8,
);

test.serial('an evaluation goes on as if nothing had been', async (t) => {
  const { run, evalLoss } = await undisturbed;
  const { warnings, options } = disturbed(t, [
    { ...ANY, manner: 'exit', job: 'fill', when: 'after', spare: 0 },
    { ...ANY, manner: 'throw', job: 'evaluate', when: 'before', spare: 0 },
  ]);
  const { loss } = await evaluate(run, [], { workers: 2 }, options);
  t.is(loss, Number(evalLoss));
  t.is(warnings.length, 2);
});
