/** A disk that takes no more, as a limit on the size of files: writes beyond it fail with EFBIG. */
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inspect } from '../../src/recipes/inspect.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { runCli } from '../helpers/cli.ts';
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
  const { run } = await train(place.settings('r', SETTINGS), { signal, onStep });
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
