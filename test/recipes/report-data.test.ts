import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { writeFailure } from '../../src/checkpoint/failure-note.ts';
import { InputError } from '../../src/errors.ts';
import { readRun } from '../../src/recipes/report-data.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { linesOf, logsOf, runPlace } from '../helpers/runs.ts';

const isShareOfSome = (share: number) => share > 0 && share <= 1;

test('a finished run is read as its logs and its result have it', async (t) => {
  const { settings } = runPlace(t);
  const result = await train(settings('done', { steps: 12, sampleEvery: 6, clipNorm: 0.5 }));
  const { run, state, points, evaluations, samples, alerts } = await readRun(result.run);
  t.deepEqual(state, { kind: 'finished', step: 12, secondsLeft: null });
  t.is(run.run, 'done');
  t.is(run.parameters, result.parameters);
  t.is(run.backend, result.backend);
  t.deepEqual([run.totalSteps, run.workers, run.lanes, run.clipNorm], [12, 2, 4, 0.5]);
  const shown: (number | null)[][] = points.map((point) => [
    point.step,
    point.loss,
    point.gradNorm,
    point.learningRate,
  ]);
  const logged = linesOf(logsOf(result.run).steps);
  t.deepEqual(
    shown,
    logged.map(({ step, loss, gradNorm, lr }) => [step, loss, gradNorm, lr]),
  );
  t.true(points.every(({ phaseSeconds }) => phaseSeconds[run.phases.indexOf('compute')] > 0));
  t.true(
    points.every(({ busyShares }) => busyShares.length === 2 && busyShares.every(isShareOfSome)),
  );
  t.is(result.evalLoss, evaluations.at(-1)!.loss);
  t.deepEqual(
    samples.map(({ step }) => step),
    [6, 12],
  );
  t.deepEqual(alerts, []);
  t.deepEqual(
    run.settings.find(({ flag }) => flag === '--hidden'),
    { flag: '--hidden', value: '8' },
  );
  t.false(JSON.stringify(run).includes('/'));
});

test('a run is read while it trains, after it was stopped, and with more steps than it was to have', async (t) => {
  const { settings } = runPlace(t);
  const controller = new AbortController();
  let reading: ReturnType<typeof readRun> | undefined;
  const { run } = await train(settings('stopped', { steps: 12 }), {
    signal: controller.signal,
    stepsAtOnce: 1,
    onStep: ({ step }) => {
      if (step !== 5) return;
      reading = readRun(settings('stopped').run!);
      controller.abort();
    },
  });
  t.is((await reading!).state.kind, 'training');
  t.deepEqual((await readRun(run)).state, { kind: 'stopped', step: 5, secondsLeft: null });
  await resume(run, { steps: 20 });
  const longer = await readRun(run);
  t.is(longer.run.totalSteps, 20);
  t.deepEqual(longer.state, { kind: 'finished', step: 20, secondsLeft: null });
});

test('the time of what came between the steps, and after them, is in a report', async (t) => {
  const { settings } = runPlace(t);
  const others = { steps: 12, evalEvery: 5, sampleEvery: 6, gradientsEvery: 4 };
  const seconds: number[] = [];
  const { run } = await train(settings('done', others), {
    onEvaluation: (evaluation) => seconds.push(evaluation.seconds),
  });
  const { run: description, points } = await readRun(run);
  const timeOf = (phase: string) => {
    const index = description.phases.indexOf(phase);
    return points.map(({ phaseSeconds }) => phaseSeconds[index]);
  };
  const whole = seconds.reduce((sum, each) => sum + each, 0);
  const told = timeOf('evaluate').reduce((sum, each) => sum + each, 0);
  t.true(Math.abs(told - whole) < 1e-6 * points.length, `${told} of ${whole}`);
  const stepsWith = (phase: string) => timeOf(phase).flatMap((time, i) => (time > 0 ? i + 1 : []));
  // Before the first step, after 5 and 10, and after the last.
  t.deepEqual(stepsWith('evaluate'), [1, 6, 11, 12]);
  t.deepEqual(stepsWith('sample'), [7, 12]);
  t.deepEqual(stepsWith('gradients'), [4, 8, 12]);
  t.true(stepsWith('snapshot').includes(1));
});

test('a run that failed is told as such, with the reason but no folder, until it goes on', async (t) => {
  const { settings, folder } = runPlace(t);
  const wild = {
    cell: 'rnn',
    activation: 'relu',
    optimizer: 'sgd',
    clipNorm: 0,
    lr: 1000,
  } as const;
  const error = await t.throwsAsync(train(settings('failed', { steps: 200, ...wild })));
  const run = join(folder, 'failed');
  const { state, points } = await readRun(run);
  t.is(state.kind, 'failed');
  t.is(state.step, points.length);
  t.is(state.message, error.message);
  t.false(state.message?.includes('/'));

  const controller = new AbortController();
  const stopped = await train(settings('stopped', { steps: 12 }), {
    signal: controller.signal,
    onStep: () => controller.abort(),
  });
  writeFailure(stopped.run, { step: 1, message: 'The disk is gone.' });
  t.like((await readRun(stopped.run)).state, { kind: 'failed', message: 'The disk is gone.' });
  await resume(stopped.run);
  t.is((await readRun(stopped.run)).state.kind, 'finished');
});

test('a note of a failure that is none, or is too long, is passed over', async (t) => {
  const { settings } = runPlace(t);
  const { run } = await train(settings('done', { steps: 2 }));
  for (const text of ['', '[]', 'null', '{"step":1}', '{"step":"1","message":"x"}']) {
    writeFileSync(join(run, 'failure.json'), text);
    t.is((await readRun(run)).state.kind, 'finished', text);
  }
  writeFileSync(join(run, 'failure.json'), `{"step":1,"message":"${'x'.repeat(70_000)}"}`);
  t.is((await readRun(run)).state.kind, 'finished');
});

test('what is no run is refused', async (t) => {
  const { folder, text } = runPlace(t);
  for (const path of [folder, text, `${folder}/nothing`]) {
    await t.throwsAsync(readRun(path), { instanceOf: InputError });
  }
});
