import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';
import { surroundings } from '../../src/machine.ts';
import { inspect } from '../../src/recipes/inspect.ts';
import type { TrainResult } from '../../src/recipes/reports.ts';
import type { ResumeSettings } from '../../src/recipes/resumed-config.ts';
import { resume, type TrainOptions, train } from '../../src/recipes/train.ts';
import {
  checkpointSteps,
  linesOf,
  logsOf,
  noteWarnings,
  runPlace,
  TINY_SETTINGS,
} from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';

/** 1200 characters: 33 chunks an epoch; the whole run crosses its end and ends inside the second one. */
const WHOLE: Settings = {
  steps: 45,
  evalEvery: 10,
  dropout: 0.2,
  layers: 2,
  optimizer: 'adam',
  gradientsEvery: 4,
};

/** Stops a run as Ctrl-C does, when step `step` is reported (`onStep`) or validated (`onEvaluation`). */
function stoppingAt(step: number, event: 'onStep' | 'onEvaluation' = 'onStep'): TrainOptions {
  const controller = new AbortController();
  const stop = (report: { step: number }) => {
    if (report.step === step) controller.abort();
  };
  return { signal: controller.signal, stepsAtOnce: 1, [event]: stop };
}

/** Runs to compare with, one of each kind. The text is the same in every folder. */
const shared = mkdtempSync(join(tmpdir(), 'threadloom-'));
const text = writeText(shared);
test.after.always(() => rmSync(shared, { recursive: true }));
const wholeRuns = new Map<string, Promise<TrainResult>>();

function neverStopped(settings: Settings): Promise<TrainResult> {
  const key = JSON.stringify(settings);
  const known = wholeRuns.get(key);
  if (known) return known;
  const files = [text];
  const run = join(shared, `whole ${wholeRuns.size}`);
  const result = train({ ...TINY_SETTINGS, ...settings, files, run });
  wholeRuns.set(key, result);
  return result;
}

function same(t: ExecutionContext, resumed: TrainResult, whole: TrainResult): void {
  t.is(resumed.paramsSha256, whole.paramsSha256);
  t.is(resumed.evalLoss, whole.evalLoss);
  t.is(resumed.bestEvalLoss, whole.bestEvalLoss);
  t.is(resumed.trainLoss, whole.trainLoss);
  t.is(resumed.steps, whole.steps);
  t.deepEqual(logsOf(resumed.run), logsOf(whole.run));
  t.deepEqual(bestOf(resumed.run), bestOf(whole.run));
}

/** The best checkpoint's step and loss, where the run has validated. */
function bestOf(run: string) {
  const path = join(run, 'checkpoints', 'best.ckpt');
  if (!existsSync(path)) return undefined;
  const { step, bestEvalLoss } = inspect(path);
  return { step, bestEvalLoss };
}

const equalsNeverStopped = test.macro({
  title: (name) => `a run that was stopped equals one that never was, to the bit: ${name}`,
  async exec(t, settings: Settings, options: TrainOptions, workers: number = 2) {
    const place = runPlace(t);
    const whole = await neverStopped(settings);
    const stopped = await train(place.settings('stopped', settings), options);
    t.true(stopped.interrupted);
    const resumed = await resume(stopped.run, { workers });
    t.false(resumed.interrupted);
    same(t, resumed, whole);
  },
});

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  test(`mid-epoch, ${cell}`, equalsNeverStopped, { ...WHOLE, cell }, stoppingAt(17));
}
test('with more workers', equalsNeverStopped, WHOLE, stoppingAt(17), 3);
test('with one worker', equalsNeverStopped, WHOLE, stoppingAt(38), 1);
test('at the end of an epoch', equalsNeverStopped, { ...WHOLE, evalEvery: 0 }, stoppingAt(33));
test('in a step that is to be validated', equalsNeverStopped, WHOLE, stoppingAt(20));
test('after a validation', equalsNeverStopped, WHOLE, stoppingAt(20, 'onEvaluation'));
test('after the first validation', equalsNeverStopped, WHOLE, stoppingAt(0, 'onEvaluation'));
test('in the last step', equalsNeverStopped, WHOLE, stoppingAt(45));
test('after the last validation', equalsNeverStopped, WHOLE, stoppingAt(45, 'onEvaluation'));
test(
  'sgd with momentum',
  equalsNeverStopped,
  { ...WHOLE, optimizer: 'sgd', momentum: 0.9 },
  stoppingAt(9),
);
test(
  'without validation',
  equalsNeverStopped,
  { ...WHOLE, valFraction: 0, evalEvery: 0 },
  stoppingAt(30),
);
test('byte tokens', equalsNeverStopped, { ...WHOLE, tokens: 'byte' }, stoppingAt(12));

test('a run that was stopped twice equals one that never was', async (t) => {
  const place = runPlace(t);
  const whole = await neverStopped(WHOLE);
  const { run } = await train(place.settings('stopped', WHOLE), stoppingAt(5));
  await resume(run, {}, stoppingAt(6));
  same(t, await resume(run), whole);
});

test('a run that was killed goes on from its newest checkpoint, its logs cut back', async (t) => {
  const place = runPlace(t);
  const settings = { ...WHOLE, checkpointEvery: 7, keep: 9 };
  const whole = await neverStopped(settings);
  const { run } = await train(place.settings('killed', settings));
  // As a kill at step 24 leaves it: no later checkpoint, half a line in the log.
  for (const step of checkpointSteps(run).filter((kept) => kept > 21)) {
    rmSync(join(run, 'checkpoints', `step-${String(step).padStart(8, '0')}.ckpt`));
  }
  appendFileSync(join(run, 'steps.ndjson'), '{"step":25,"lo');
  same(t, await resume(run), whole);
});

test('a damaged newest checkpoint is passed over with a warning', async (t) => {
  const place = runPlace(t);
  const settings = { ...WHOLE, keep: 9 };
  const whole = await neverStopped(settings);
  const { run } = await train(place.settings('stopped', settings), stoppingAt(25));
  const path = join(run, 'checkpoints', 'step-00000025.ckpt');
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
  const warnings: string[] = [];
  const resumed = await resume(run, {}, { onWarning: noteWarnings(warnings) });
  same(t, resumed, whole);
  t.is(warnings.length, 1);
  t.regex(warnings[0], /step-00000025\.ckpt.*it is damaged/);
});

const untouched = test.macro({
  title: (name) => `resuming a finished run changes nothing: ${name}`,
  async exec(t, settings: Settings) {
    const place = runPlace(t);
    const finished = await train(place.settings('r', settings));
    const tree = treeOf(finished.run);
    const steps: number[] = [];
    const again = await resume(finished.run, {}, { onStep: ({ step }) => steps.push(step) });
    t.deepEqual(steps, []);
    t.is(again.paramsSha256, finished.paramsSha256);
    t.is(again.evalLoss, finished.evalLoss);
    t.is(again.checkpoint, finished.checkpoint);
    t.false(again.interrupted);
    t.deepEqual(treeOf(finished.run), tree);
  },
});
test('by its steps', untouched, { steps: 5 });
test('by its epochs', untouched, { epochs: 1, batch: 8, chunk: 32 });
test('by the clock', untouched, { maxMinutes: 0.003, epochs: 100_000 });

test('more steps of a run whose time is up are refused, not left out in silence', async (t) => {
  const { run } = await train(runPlace(t).settings('r', { maxMinutes: 0.003, epochs: 100_000 }));
  for (const totals of [{ epochs: 200_000 }, { steps: 1_000_000 }]) {
    await t.throwsAsync(resume(run, totals), {
      instanceOf: InputError,
      message: /--max-minutes 0\.003 are over.*threadloom train FILES --from /,
    });
  }
});

test('half a checkpoint that a killed process has left is removed, also where nothing is left to do', async (t) => {
  const { run } = await train(runPlace(t).settings('r', { steps: 5 }));
  const tree = treeOf(run);
  writeFileSync(join(run, 'checkpoints', 'best.ckpt.tmp'), 'half');
  await resume(run);
  t.deepEqual(treeOf(run), tree);
});

test('--steps and --epochs are totals, and the schedule keeps its horizon', async (t) => {
  const place = runPlace(t);
  const { run } = await train(place.settings('r', { steps: 20, valFraction: 0 }));
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const longer = await resume(run, { steps: 24 }, { onWarning });
  t.is(longer.steps, 24);
  t.deepEqual(warnings, [
    'The cosine schedule of this run has come down to a learning rate of 0 by step 20: the steps after it, up to 24, ' +
      `change nothing. To train on, start a new run with its weights: threadloom train FILES --from ${run}`,
  ]);
  const lines = linesOf(logsOf(run).steps);
  t.deepEqual(
    lines.map(({ step }) => step),
    Array.from({ length: 24 }, (_, i) => i + 1),
  );
  t.is(lines[19].lr, 2e-3 * 0.5 * (1 + Math.cos((Math.PI * 19) / 20)));
  t.true(lines[23].lr < 1e-9);
  const epochs = await resume(run, { epochs: 1 });
  t.is(epochs.epochs, 1);
  t.is(epochs.steps, 37);
});

test('--no-metrics holds for a run that was started with a port', async (t) => {
  const place = runPlace(t);
  const settings = { steps: 4, metrics: true, metricsPort: 0, metricsAllowedHosts: 'trainer' };
  const { run } = await train(place.settings('r', settings), stoppingAt(2));
  const urls: (string | undefined)[] = [];
  const result = await resume(
    run,
    { metrics: false },
    { onPlan: ({ metricsUrl }) => urls.push(metricsUrl) },
  );
  t.is(result.steps, 4);
  t.deepEqual(urls, [undefined]);
});

const OPEN = { metrics: true, metricsPort: 0, metricsHost: '0.0.0.0' } as const;

async function resumeWatched(run: string, settings: ResumeSettings) {
  const urls: (string | undefined)[] = [];
  const warnings: string[] = [];
  await resume(run, settings, {
    onPlan: ({ metricsUrl }) => urls.push(metricsUrl),
    onWarning: (message) => warnings.push(message),
  });
  return { host: urls[0] && new URL(urls[0]).hostname, warnings };
}

test('a run that was open to networks is open to this machine alone once it is resumed, and says so', async (t) => {
  const settings = { steps: 4, ...OPEN, metricsAllowedHosts: 'trainer' };
  const { run } = await train(runPlace(t).settings('r', settings), stoppingAt(2));
  const { host, warnings } = await resumeWatched(run, {});
  t.is(host, '127.0.0.1');
  t.deepEqual(warnings, [
    'The run was started with --metrics-host 0.0.0.0 --metrics-allowed-hosts trainer, which holds no longer: it listens on ' +
      '127.0.0.1. Give that again where others are to reach it.',
  ]);
});

test('a resumed run is open to whom it is told, or serves nothing, without a warning', async (t) => {
  const { run } = await train(runPlace(t).settings('r', { steps: 4, ...OPEN }), stoppingAt(2));
  const other = `${run} too`;
  cpSync(run, other, { recursive: true });
  t.deepEqual(await resumeWatched(other, { metrics: false }), { host: undefined, warnings: [] });
  const again = { metricsHost: OPEN.metricsHost };
  t.deepEqual(await resumeWatched(run, again), { host: '0.0.0.0', warnings: [] });
});

test('more workers than there are cores must be asked for anew, so that a stranger cannot start thousands', async (t) => {
  const whole = await neverStopped(WHOLE);
  const { run } = await train(runPlace(t).settings('r', WHOLE), stoppingAt(8));
  const file = join(run, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...config, workers: 4096 }));
  const { cores } = surroundings();
  const told: { workers: number; warning: string }[] = [];
  const goOn = async (settings: ResumeSettings, stop: TrainOptions) => {
    const warnings: string[] = [];
    const result = await resume(run, settings, {
      ...stop,
      onPlan: ({ workers }) => told.push({ workers, warning: warnings[0] }),
      onWarning: noteWarnings(warnings),
    });
    return result;
  };
  await goOn({}, stoppingAt(10));
  const result = await goOn({ workers: cores + 1 }, {});
  t.deepEqual(told, [
    {
      workers: cores,
      warning:
        `The run was started with --workers 4096, more than the ${cores} cores this process may use; it goes on with ${cores}, ` +
        'to the same bits. Give --workers for more.',
    },
    {
      workers: cores + 1,
      warning: `--workers ${cores + 1} is more than the ${cores} cores this process may use; expect no gain.`,
    },
  ]);
  same(t, result, whole);
});

test('a run that was moved with its text goes on', async (t) => {
  const place = runPlace(t);
  const whole = await neverStopped(WHOLE);
  const { run } = await train(place.settings('stopped', WHOLE), stoppingAt(8));
  const moved = join(place.folder, 'moved');
  cpSync(run, moved, { recursive: true });
  rmSync(run, { recursive: true });
  same(t, await resume(moved), whole);
});
