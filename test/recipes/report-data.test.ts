import test from 'ava';
import { InputError } from '../../src/errors.ts';
import { readRun } from '../../src/recipes/report-data.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { linesOf, logsOf, runPlace } from '../helpers/runs.ts';

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

test('what is no run is refused', async (t) => {
  const { folder, text } = runPlace(t);
  for (const path of [folder, text, `${folder}/nothing`]) {
    await t.throwsAsync(readRun(path), { instanceOf: InputError });
  }
});
