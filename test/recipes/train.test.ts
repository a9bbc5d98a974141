import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import test from 'ava';
import { readFailure } from '../../src/checkpoint/failure-note.ts';
import { InputError } from '../../src/errors.ts';
import type { EvaluationReport, RunPlan, StepReport } from '../../src/recipes/reports.ts';
import { train } from '../../src/recipes/train.ts';
import { checkpointSteps, linesOf, logsOf, noteWarnings, runPlace } from '../helpers/runs.ts';
import { treeOf } from '../helpers/tree.ts';

/** After an `a` only what came before it says what comes next. */
const PATTERN = 'abacadae'.repeat(60);

/** Of this process, below a folder; Linux alone tells. */
function openFiles(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = readlinkSync(join('/proc/self/fd', descriptor));
      return file.startsWith(folder) ? file : [];
    } catch {
      return []; // That of the list itself.
    }
  });
}

for (const model of [
  { cell: 'rnn' },
  { cell: 'rnn', activation: 'relu' },
  { cell: 'lstm' },
  { cell: 'gru' },
] as const) {
  test(`learns a repeating pattern to near-zero loss: ${Object.values(model).join(' ')}`, async (t) => {
    const { folder, settings } = runPlace(t);
    const text = join(folder, 'pattern.txt');
    writeFileSync(text, PATTERN);
    const others = { files: [text], hidden: 16, lr: 0.02, steps: 220, evalStreams: 1 };
    const result = await train(settings('r', { ...others, ...model }));
    t.true(Number(result.trainLoss) < 0.05, String(result.trainLoss));
    t.true(Number(result.evalLoss) < 0.1, String(result.evalLoss));
    t.is(result.steps, 220);
    t.is(result.tokens, 220 * 32);
    t.deepEqual(result.failures, []);
  });
}

test('the logs hold a line a step and a line a validation, as they were reported', async (t) => {
  const { settings } = runPlace(t);
  const steps: StepReport[] = [];
  const evaluations: EvaluationReport[] = [];
  const { run } = await train(settings('r', { steps: 40, warmup: 5, clipNorm: 0.3 }), {
    onStep: (step) => steps.push(step),
    onEvaluation: (evaluation) => evaluations.push(evaluation),
  });
  const lines = linesOf(logsOf(run).steps);
  t.deepEqual(
    steps.map(({ step, epoch, tokens, loss, gradNorm, clipScale, lr }) => {
      return { step, epoch, tokens, loss, gradNorm, clipScale, lr };
    }),
    lines,
  );
  t.true(steps.every(({ totalSteps }) => totalSteps === 40));
  for (const [i, { step, epoch, tokens, loss, gradNorm, clipScale, lr }] of lines.entries()) {
    t.is(step, i + 1);
    t.is(epoch, i < 33 ? 1 : 2);
    t.is(tokens, 32 * (i + 1));
    t.true(loss > 0 && loss < 5);
    t.is(clipScale, gradNorm > 0.3 ? 0.3 / gradNorm : 1);
    if (i < 5) t.is(lr, (2e-3 * (i + 1)) / 5);
  }
  t.true(lines.some(({ clipScale }) => clipScale < 1));
  t.deepEqual(
    linesOf(logsOf(run).evals),
    evaluations.map(({ step, epoch, tokens, loss }) => ({ step, epoch, tokens, loss })),
  );
  t.deepEqual(
    evaluations.map(({ step }) => step),
    [0, 33, 40],
  );
  const timings = linesOf<{ seconds: number; phaseSeconds: object; betweenSeconds?: object }>(
    readFileSync(join(run, 'timings.ndjson'), 'utf8'),
  );
  t.deepEqual(Object.keys(timings[0].betweenSeconds ?? {}), ['snapshot', 'evaluate']);
  t.like(timings.pop(), { step: 40, seconds: 0, phaseSeconds: {} });
  t.is(timings.length, 40);
  for (const { seconds, phaseSeconds } of timings) {
    t.deepEqual(Object.keys(phaseSeconds), [
      'load',
      'compute',
      'reduce',
      'clip',
      'update',
      'commit',
    ]);
    t.true(Object.values(phaseSeconds).reduce((sum, x) => sum + x, 0) <= seconds * 1.01);
  }
});

test('a checkpoint of step 0 precedes training', async (t) => {
  const { settings } = runPlace(t);
  const saved: number[][] = [];
  await train(settings('r', { steps: 3, keep: 9 }), {
    onStep: () => saved.push(checkpointSteps(String(settings('r').run))),
  });
  t.deepEqual(saved[0], [0]);
});

test('the newest checkpoints and the best are kept', async (t) => {
  const { settings } = runPlace(t);
  const { run } = await train(
    settings('r', { steps: 30, evalEvery: 4, checkpointEvery: 7, keep: 2 }),
  );
  const kept = checkpointSteps(run);
  t.is(kept.length, 2);
  t.is(kept[1], 30);
  t.true('best.ckpt' in treeOf(join(run, 'checkpoints')));
});

test('before the first step everything is known of the run', async (t) => {
  const { settings, folder } = runPlace(t);
  const plans: RunPlan[] = [];
  const result = await train(settings('r', { steps: 2 }), { onPlan: (plan) => plans.push(plan) });
  t.is(plans.length, 1);
  const [plan] = plans;
  t.like(plan, {
    run: join(folder, 'r'),
    workers: 2,
    lanes: 4,
    trainSymbols: 1080,
    valSymbols: 120,
    stepsPerEpoch: 33,
    totalSteps: 2,
    firstStep: 0,
    parameters: result.parameters,
    metricsUrl: undefined,
  });
  const memory = [...plan.memory.values()].reduce((sum, bytes) => sum + bytes, 0);
  t.true(memory > 0.9 * plan.arenaBytes && memory <= plan.arenaBytes);
});

test('config.json is the whole configuration, and trains the same run again', async (t) => {
  const { settings, folder } = runPlace(t);
  const first = await train(settings('r', { steps: 5, dropout: 0.1, cell: 'gru' }));
  const config = JSON.parse(readFileSync(join(first.run, 'config.json'), 'utf8'));
  const again = await train({ ...config, run: join(folder, 'again') });
  t.is(again.paramsSha256, first.paramsSha256);
  t.deepEqual(logsOf(again.run), logsOf(first.run));
});

test('the seed decides: the same gives the same bits, another does not', async (t) => {
  const { settings } = runPlace(t);
  const sha256 = async (name: string, seed: number) =>
    (await train(settings(name, { steps: 3, seed, dropout: 0.2 }))).paramsSha256;
  const one = await sha256('a', 7);
  t.is(await sha256('b', 7), one);
  t.not(await sha256('c', 8), one);
});

test('two runs side by side in one process do not disturb each other', async (t) => {
  const { settings } = runPlace(t);
  const lstm = { steps: 20, evalEvery: 5, dropout: 0.1 };
  const gru = {
    steps: 25,
    cell: 'gru',
    batch: 6,
    workers: 1,
    metrics: true,
    metricsPort: 0,
  } as const;
  const alone = [await train(settings('a', lstm)), await train(settings('b', gru))];
  const together = await Promise.all([train(settings('c', lstm)), train(settings('d', gru))]);
  for (const [i, { paramsSha256, evalLoss, run }] of together.entries()) {
    t.is(paramsSha256, alone[i].paramsSha256);
    t.is(evalLoss, alone[i].evalLoss);
    t.deepEqual(logsOf(run), logsOf(alone[i].run));
  }
});

test.serial('a time limit ends the run in time, its schedule run out', async (t) => {
  const { settings } = runPlace(t);
  const limit = 4;
  const others = { maxMinutes: limit / 60, epochs: 1_000_000, lr: 0.01, valFraction: 0 };
  const result = await train(settings('r', others));
  t.true(result.seconds >= limit);
  // The last step and the last checkpoint come after it; the machine may have other work.
  t.true(result.seconds < limit + 60);
  const rates = linesOf(logsOf(result.run).steps).map(({ lr }) => lr);
  t.true(rates.length > 3);
  t.true(rates.every((lr, i) => i === 0 || lr <= rates[i - 1]));
  // The last step began within a second of the limit.
  t.true(rates.at(-1) <= 0.01 * 0.5 * (1 + Math.cos(Math.PI * (1 - 1 / limit))));
  t.false(result.interrupted);
});

test('validations do not change the training', async (t) => {
  const { settings } = runPlace(t);
  const often = await train(settings('often', { steps: 12, evalEvery: 1, evalStreams: 3 }));
  const never = await train(settings('never', { steps: 12, evalEvery: 1000 }));
  t.is(often.paramsSha256, never.paramsSha256);
  t.is(logsOf(often.run).steps, logsOf(never.run).steps);
  t.is(linesOf(logsOf(often.run).evals).length, 13);
});

test('a validation that is not finite is none, and keeps no checkpoint from being written', async (t) => {
  const { settings, folder } = runPlace(t);
  const text = join(folder, 'long.txt');
  writeFileSync(text, PATTERN.repeat(10));
  // The state doubles from step to step: it overflows over the validation's one long stream, not over the short ones.
  const doubling = { cell: 'rnn', activation: 'relu', identityScale: 2 } as const;
  const short = {
    files: [text],
    batch: 256,
    lanes: 8,
    chunk: 8,
    evalStreams: 1,
    lr: 1e-6,
    steps: 4,
  };
  const result = await train(settings('r', { ...doubling, ...short, evalEvery: 2 }));
  t.deepEqual([result.evalLoss, result.bestEvalLoss], [null, null]);
  t.deepEqual(result.failures, []);
  t.deepEqual(checkpointSteps(result.run), [0, 2, 4]);
  t.deepEqual(
    linesOf(logsOf(result.run).evals).map(({ loss }) => loss),
    [null, null, null],
  );
});

test('--force replaces a run and nothing else in its folder', async (t) => {
  const { settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 9, evalEvery: 3 }));
  writeFileSync(join(run, 'notes.txt'), 'mine');
  mkdirSync(join(run, 'plots'));
  const again = await train(settings('r', { steps: 2, force: true }));
  t.is(linesOf(logsOf(run).steps).length, 2);
  t.deepEqual(checkpointSteps(run), [0, 2]);
  t.is(readFileSync(join(run, 'notes.txt'), 'utf8'), 'mine');
  t.is(again.steps, 2);
  const { force } = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  t.false(force);
});

test.serial(
  'a run whose observer throws before the first step leaves no thread, file or lock open',
  async (t) => {
    const { folder, settings } = runPlace(t);
    const threads: Worker[] = [];
    const note = (thread: Worker) => threads.push(thread);
    process.on('worker', note);
    t.teardown(() => process.off('worker', note));
    const onPlan = () => {
      throw new Error('not so');
    };
    await t.throwsAsync(train(settings('r'), { onPlan }), { message: 'not so' });
    t.true(threads.length > 0);
    t.deepEqual(
      threads.filter(({ threadId }) => threadId > 0),
      [],
    );
    t.deepEqual(openFiles(folder), []);
    await train(settings('r', { force: true, steps: 1 }));
  },
);

test('a step whose observer throws has happened: its line and its checkpoint are there', async (t) => {
  const { settings } = runPlace(t);
  const ends = async (name: string, stepsAtOnce?: number) => {
    const told: number[] = [];
    const onStep = ({ step }: { step: number }) => {
      told.push(step);
      if (step === 3) throw new Error('the observer failed');
    };
    const training = train(settings(name, { steps: 9 }), { onStep, stepsAtOnce });
    await t.throwsAsync(training, { message: 'the observer failed' });
    const run = String(settings(name).run);
    const lines = linesOf(logsOf(run).steps);
    t.deepEqual(
      told,
      lines.map(({ step }) => step),
      'of each that has happened',
    );
    return { lines, saved: checkpointSteps(run).at(-1) };
  };
  const one = await ends('one', 1);
  t.deepEqual(
    one.lines.map(({ step }) => step),
    [1, 2, 3],
  );
  t.is(one.saved, 3);
  // So have those that were given out with it.
  const several = await ends('several');
  t.is(several.saved, several.lines.length);
  t.deepEqual(several.lines.slice(0, 3), one.lines);
});

for (const failing of [0, 7, 9]) {
  test(`a checkpoint whose observer throws has been written, and the run ends with that: step ${failing}`, async (t) => {
    const { settings } = runPlace(t);
    const warnings: string[] = [];
    const request = settings('r', { steps: 9, checkpointEvery: 7, evalEvery: 9 });
    const training = train(request, {
      onCheckpoint: ({ step }) => {
        if (step === failing) throw new Error('the observer failed');
      },
      onWarning: noteWarnings(warnings),
    });
    await t.throwsAsync(training, { message: 'the observer failed' });
    t.deepEqual(warnings, []);
    const run = String(request.run);
    const saved = checkpointSteps(run);
    t.true(saved.includes(failing));
    t.is(saved.at(-1), linesOf(logsOf(run).steps).length);
  });
}

test('a run that fails after its signal was aborted leaves why', async (t) => {
  const { settings } = runPlace(t);
  const request = settings('r', { steps: 9 });
  const controller = new AbortController();
  const training = train(request, {
    signal: controller.signal,
    stepsAtOnce: 1,
    onStep: ({ step }) => {
      if (step !== 3) return;
      controller.abort();
      throw new Error('the observer failed');
    },
  });
  await t.throwsAsync(training, { message: 'the observer failed' });
  t.deepEqual(readFailure(String(request.run)), { step: 3, message: 'the observer failed' });
});

test('an observer that throws is told of all steps that were given out with that one', async (t) => {
  const { settings } = runPlace(t);
  const told: number[] = [];
  let toldInThisTurn = 0;
  let several = false;
  const onStep = ({ step }: { step: number }) => {
    told.push(step);
    if (toldInThisTurn++ === 0) setImmediate(() => (toldInThisTurn = 0));
    // The first of some, once several are given out at a time.
    if (several && toldInThisTurn === 1) throw new Error('the observer failed');
    several ||= toldInThisTurn > 1;
  };
  const training = train(settings('r', { steps: 400, evalEvery: 400 }), { onStep });
  await t.throwsAsync(training, { message: 'the observer failed' });
  const lines = linesOf(logsOf(String(settings('r').run)).steps);
  t.deepEqual(
    told,
    lines.map(({ step }) => step),
  );
});

test('a run whose signal is aborted ends with the steps given out, with stepsAtOnce 1 with the very step', async (t) => {
  const { settings } = runPlace(t);
  const stoppedAt = async (name: string, stepsAtOnce?: number) => {
    const controller = new AbortController();
    const told: number[] = [];
    const result = await train(settings(name, { steps: 40, evalEvery: 40 }), {
      signal: controller.signal,
      stepsAtOnce,
      onStep: ({ step }) => {
        told.push(step);
        if (step === 9) controller.abort();
      },
    });
    t.true(result.interrupted);
    t.deepEqual(
      told,
      Array.from({ length: result.steps }, (_, i) => i + 1),
    );
    return result.steps;
  };
  t.is(await stoppedAt('one', 1), 9);
  const steps = await stoppedAt('several');
  t.true(steps >= 9 && steps <= 12, `${steps}`);
  for (const stepsAtOnce of [0, 1.5, Number.NaN]) {
    const training = train(settings('wrong'), { stepsAtOnce });
    await t.throwsAsync(training, { instanceOf: InputError, message: /stepsAtOnce.*from 1, got/ });
  }
});

test('steps are logged together, but soon', async (t) => {
  const { settings } = runPlace(t);
  const request = settings('r', { steps: 100, evalEvery: 100 });
  const behind: number[] = [];
  await train(request, {
    onStep: ({ step }) => behind.push(step - linesOf(logsOf(request.run!).steps).length),
  });
  t.is(behind.length, 100);
  t.true(Math.max(...behind) <= 17, `${behind}`);
});
