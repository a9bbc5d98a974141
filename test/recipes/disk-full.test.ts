/** A disk that takes no more, as a limit on the size of files: writes beyond it fail with EFBIG. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inspect } from '../../src/recipes/inspect.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { runCli } from '../helpers/cli.ts';
import { fullDisk } from '../helpers/disks.ts';
import { checkpointSteps, linesOf, logsOf, runPlace } from '../helpers/runs.ts';
import { treeOf } from '../helpers/tree.ts';

/** Runs a command in a shell that limits files to so many KiB. */
const limited = (kibibytes: number) => [
  'bash',
  '-c',
  `ulimit -f ${kibibytes} && exec "$@"`,
  'bash',
];

/** A checkpoint takes about 50 KiB, the logs of 40 steps about 8. */
const SETTINGS = { hidden: 24, embed: 8, steps: 30, evalEvery: 5, checkpointEvery: 7, keep: 2 };

/** A run stopped after step 12. */
async function stoppedRun(t: ExecutionContext) {
  const place = runPlace(t);
  const controller = new AbortController();
  const onStep = ({ step }: { step: number }) => {
    if (step === 12) controller.abort();
  };
  const { signal } = controller;
  const { run } = await train(place.settings('r', SETTINGS), { signal, stepsAtOnce: 1, onStep });
  return { place, run, whole: await train(place.settings('whole', SETTINGS)) };
}

test('a full disk does not end the training: its last checkpoint stays, and it exits with 1', async (t) => {
  const { run, whole } = await stoppedRun(t);
  const checkpoints = treeOf(join(run, 'checkpoints'));
  const { code, stdout, stderr } = await runCli(t, ['resume', run, '--json'], {
    prefix: limited(24),
  });
  t.is(code, 1, stderr);
  const result = JSON.parse(stdout);
  t.is(result.steps, 30);
  t.is(result.paramsSha256, whole.paramsSha256);
  t.is(result.evalLoss, whole.evalLoss);
  t.true(result.checkpoint.endsWith('step-00000012.ckpt'));
  const warnings = stderr.match(/^warning: The checkpoint of step \d+ could not be written: .*/gm);
  t.regex(String(warnings?.[0]), /of step (14|15) could .*EFBIG.*Earlier checkpoints stay valid\./);
  t.is(warnings?.length, result.failures.length);
  t.regex(result.failures[result.failures.length - 1], /^The checkpoint of step 30 could not/);
  t.deepEqual(treeOf(join(run, 'checkpoints')), checkpoints);
  t.is(inspect(run).step, 12);
  t.deepEqual(logsOf(run), logsOf(whole.run));
});

test('once there is room again the run goes on as if nothing had been', async (t) => {
  const { run, whole } = await stoppedRun(t);
  t.is((await runCli(t, ['resume', run, '--quiet'], { prefix: limited(24) })).code, 1);
  const result = await resume(run);
  t.is(result.paramsSha256, whole.paramsSha256);
  t.deepEqual(result.failures, []);
  t.deepEqual(logsOf(run), logsOf(whole.run));
  t.is(checkpointSteps(run).at(-1), 30);
});

test('a log that cannot be written is a failure at the end too, its lines whole', async (t) => {
  const { run } = await stoppedRun(t);
  const { code, stderr } = await runCli(t, ['resume', run, '--quiet'], { prefix: limited(2) });
  t.is(code, 1, stderr);
  t.is(stderr.match(/^warning: .*steps\.ndjson could not be written: EFBIG/gm)?.length, 1);
  const { steps } = logsOf(run);
  t.true(steps.length <= 2048);
  const complete = steps.slice(0, steps.lastIndexOf('\n') + 1);
  t.true(linesOf(complete).length >= 12);
});

/** Steps of the validations that are on the disk. */
const validated = (run: string) =>
  linesOf(readFileSync(join(run, 'evals.ndjson'), 'utf8')).map(({ step }) => step);

test.serial(
  'a line that waited for room is written before the next checkpoint counts on it',
  async (t) => {
    const { settings, folder } = runPlace(t);
    const run = join(folder, 'r');
    const disk = fullDisk(t);
    const controller = new AbortController();
    const atCheckpoints: Record<number, number[]> = {};
    const { failures } = await train(
      settings('r', { steps: 30, evalEvery: 5, checkpointEvery: 0 }),
      {
        signal: controller.signal,
        stepsAtOnce: 1,
        onStep: ({ step }) => {
          if (step === 5) disk.fill(join(run, 'evals.ndjson'));
          if (step === 6) disk.empty();
          if (step === 7) controller.abort();
        },
        onCheckpoint: ({ step }) => {
          atCheckpoints[step] = validated(run);
        },
      },
    );
    t.deepEqual(atCheckpoints[7], [0, 5]);
    t.is(failures.length, 1);
    t.regex(failures[0], /evals\.ndjson could not be written: ENOSPC/);
  },
);

test.serial('a run that fails leaves the lines that waited, where there is room', async (t) => {
  const { settings, folder } = runPlace(t);
  const run = join(folder, 'r');
  const disk = fullDisk(t);
  const training = train(settings('r', { steps: 30, evalEvery: 5 }), {
    onCheckpoint: () => disk.fill(join(run, 'evals.ndjson')),
    onEvaluation: () => {
      disk.empty();
      throw new Error('Nobody looks at it any more.');
    },
  });
  await t.throwsAsync(training, { message: 'Nobody looks at it any more.' });
  t.deepEqual(validated(run), [0]);
});

test.serial(
  'a run that fails on a full disk says which lines are lost, and ends as it would',
  async (t) => {
    const { settings, folder } = runPlace(t);
    const run = join(folder, 'r');
    const disk = fullDisk(t);
    const warnings: string[] = [];
    const training = train(settings('r', { steps: 30, evalEvery: 5 }), {
      onWarning: (message) => warnings.push(message),
      onCheckpoint: () => disk.fill(join(run, 'evals.ndjson')),
      onEvaluation: () => {
        throw new Error('Nobody looks at it any more.');
      },
    });
    await t.throwsAsync(training, { message: 'Nobody looks at it any more.' });
    t.deepEqual(validated(run), []);
    t.is(warnings.filter((warning) => warning.includes('evals.ndjson could not be')).length, 1);
  },
);
