import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { QUIET_TINY, runCli, startCli } from '../helpers/cli.ts';
import { created } from '../helpers/created.ts';
import { logsOf } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';

/** Reports a process's first output of the validation before training, when its first step is at hand. */
const TRAINING = /validation after 0 steps/;

function place(t: ExecutionContext): string {
  const cwd = temporaryFolder(t);
  writeText(cwd, 'text.txt', 4000);
  return cwd;
}

const train = (run: string, ...args: string[]) => [
  'train',
  'text.txt',
  ...QUIET_TINY,
  '--run',
  run,
  ...args,
];
const nameOf = (step: number) => `step-${String(step).padStart(8, '0')}.ckpt`;
const shaOf = (stdout: string): string => JSON.parse(stdout).paramsSha256;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} finishes the step, saves and says how to go on; then nothing is lost`, async (t) => {
    const cwd = place(t);
    const steps = ['--steps', '600', '--dropout', '0.1'];
    const running = startCli(t, train('r', ...steps), { cwd });
    await running.shows(TRAINING);
    running.child.kill(signal);
    const { code, stderr } = await running.finished;
    t.is(code, 130);
    t.regex(stderr, /\nStopping after this step; once more to stop at once\.\n/);
    const step = Number(stderr.match(/^Stopped after step (\d+)\. /m)?.[1]);
    const run = String(stderr.match(/ Go on with: threadloom resume (.+)\n$/)?.[1]);
    t.true(run.endsWith('/r'));
    t.true(step < 600);
    t.true(readFileSync(join(cwd, 'r', 'checkpoints', nameOf(step))).length > 1000);

    const resumed = await runCli(t, ['resume', run, '--json'], { cwd });
    t.is(resumed.code, 0);
    const whole = await runCli(t, train('whole', ...steps, '--json'), { cwd });
    t.is(shaOf(resumed.stdout), shaOf(whole.stdout));
    t.deepEqual(logsOf(join(cwd, 'r')), logsOf(join(cwd, 'whole')));
  });
}

test('with --json an interrupted run still prints its one object', async (t) => {
  const cwd = place(t);
  const running = startCli(t, train('r', '--epochs', '100000', '--json'), { cwd });
  await running.shows(TRAINING);
  running.child.kill('SIGINT');
  const { code, stdout } = await running.finished;
  t.is(code, 130);
  t.true(JSON.parse(stdout).interrupted);
});

/** A run whose step takes about a minute, in its first step. */
async function startSlowRun(t: ExecutionContext) {
  const slow = ['--backend', 'reference', '--hidden', '160', '--chunk', '900', '--layers', '4'];
  const args = [
    'train',
    'text.txt',
    '--run',
    'r',
    '--no-metrics',
    '--batch',
    '4',
    '--val-fraction',
    '0',
    ...slow,
  ];
  const running = startCli(t, args, { cwd: place(t) });
  await running.shows(/metrics\s+off\n/);
  return running;
}

/** More than lies between the two arrivals of one Ctrl-C. */
const LATER_MILLISECONDS = 600;

test('a second Ctrl-C ends at once', async (t) => {
  const running = await startSlowRun(t);
  running.child.kill('SIGINT');
  await running.shows(/Stopping after this step/);
  const began = performance.now();
  // Once: while Node ends the process it handles no signal, and another one would end it by itself.
  setTimeout(() => running.child.kill('SIGINT'), LATER_MILLISECONDS);
  const { code } = await running.finished;
  t.is(code, 130);
  t.true(performance.now() - began < 5000);
});

test('a Ctrl-C that arrives twice, from the terminal and from npx, is one', async (t) => {
  const cwd = place(t);
  const running = startCli(t, train('r', '--epochs', '100000', '--json'), { cwd });
  await running.shows(TRAINING);
  running.child.kill('SIGINT');
  await running.shows(/Stopping after this step/);
  running.child.kill('SIGINT');
  const { code, stdout } = await running.finished;
  t.is(code, 130);
  const { steps, checkpoint } = JSON.parse(stdout);
  t.is(checkpoint, join(realpathSync(cwd), 'r', 'checkpoints', nameOf(steps)));
});

const onLinux = existsSync('/dev/full') ? test : test.skip;
onLinux('a full disk under standard error does not end a run', async (t) => {
  const cwd = place(t);
  const prefix = ['sh', '-c', 'exec "$@" 2> /dev/full', 'sh'];
  const { code, stdout } = await runCli(t, train('r', '--steps', '9', '--json'), { cwd, prefix });
  t.is(code, 0);
  t.is(JSON.parse(stdout).steps, 9);
});

test('a run whose result nobody reads ends with its own code', async (t) => {
  const cwd = place(t);
  const running = startCli(t, train('r', '--epochs', '100000', '--json'), { cwd });
  running.child.stdout.destroy();
  await running.shows(TRAINING);
  running.child.kill('SIGINT');
  t.is((await running.finished).code, 130);
});

test('Ctrl-C while standard input is read leaves nothing', async (t) => {
  const cwd = temporaryFolder(t);
  const spooling = created(t, cwd, 'a');
  const args = ['train', '-', ...QUIET_TINY, '--run', 'a/r'];
  const running = startCli(t, args, { cwd, input: 'some text', open: true });
  await spooling;
  running.child.kill('SIGINT');
  const { code, lines } = await running.finished;
  t.is(code, 130);
  t.deepEqual(lines, [
    'Stopping after this step; once more to stop at once.',
    'Stopped before anything was written.',
  ]);
  t.deepEqual(treeOf(cwd), {});
});

test('Ctrl-C ends a sample after what was drawn, and an evaluation without a result', async (t) => {
  const cwd = place(t);
  t.is((await runCli(t, train('r', '--steps', '2', '--quiet'), { cwd })).code, 0);
  const sampling = startCli(t, ['sample', 'r', '--length', '100000000'], { cwd });
  await sampling.shows(/[a-z .\n]{20}/, 'stdout');
  sampling.child.kill('SIGINT');
  const sampled = await sampling.finished;
  t.is(sampled.code, 130);
  t.true(sampled.stdout.endsWith('\n'));

  const env = { TMPDIR: temporaryFolder(t) };
  const spooling = created(t, env.TMPDIR, '');
  const evaluating = startCli(t, ['eval', 'r', '-'], { cwd, env, input: 'warp', open: true });
  await spooling;
  evaluating.child.kill('SIGTERM');
  const evaluated = await evaluating.finished;
  t.is(evaluated.code, 130);
  t.is(evaluated.stdout, '');
  t.deepEqual(treeOf(env.TMPDIR), {});
});
