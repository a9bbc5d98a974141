/** Two commands that would write one folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Finished, QUIET_TINY, type RunningCli, runCli, startCli } from '../helpers/cli.ts';
import { linesOf, logsOf } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';

const train = (...args: string[]) => ['train', 'text.txt', ...QUIET_TINY, '--run', 'r', ...args];

function place(t: ExecutionContext) {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  return { cwd, lock: join(cwd, 'r', 'run.lock') };
}

/** A run that has begun and does not end by itself. */
async function training(t: ExecutionContext, cwd: string, ...args: string[]): Promise<RunningCli> {
  const running = startCli(t, train('--epochs', '1000000', ...args), { cwd });
  await running.shows(/validation after 0 steps/);
  return running;
}

function refused(t: ExecutionContext, { code, lines, stdout }: Finished, pid?: number): void {
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(
    lines[0],
    /^threadloom: Expected the run folder ".*" to be free, but process \d+ is writing to it\. Wait/,
  );
  if (pid) t.true(lines[0].includes(`process ${pid} `));
  t.is(stdout, '');
  t.is(code, 2);
}

/** Steps 1, 2, 3 … to the last line: nobody has cut or mixed them. */
function oneRunOnly(t: ExecutionContext, run: string): void {
  for (const [i, { step }] of linesOf(logsOf(run).steps).entries()) t.is(step, i + 1);
}

test('a folder in use is refused to train --force and to resume, and open to all that only read', async (t) => {
  const { cwd, lock } = place(t);
  const running = await training(t, cwd);
  const config = readFileSync(join(cwd, 'r', 'config.json'), 'utf8');
  refused(t, await runCli(t, train('--force', '--seed', '2'), { cwd }), running.child.pid);
  refused(t, await runCli(t, ['resume', 'r', '--no-metrics'], { cwd }), running.child.pid);
  for (const args of [
    ['inspect', 'r'],
    ['sample', 'r', '--length', '5'],
    ['eval', 'r'],
  ]) {
    const { code, stderr } = await runCli(t, args, { cwd });
    t.is(code, 0, stderr);
  }
  t.is(readFileSync(join(cwd, 'r', 'config.json'), 'utf8'), config);
  t.true(existsSync(lock));
  running.child.kill('SIGINT');
  t.is((await running.finished).code, 130);
  t.false(existsSync(lock));
  oneRunOnly(t, join(cwd, 'r'));
});

test('a run that was killed leaves a lock that resume takes over and releases', async (t) => {
  const { cwd, lock } = place(t);
  const running = await training(t, cwd);
  running.child.kill('SIGKILL');
  await running.finished;
  t.true(existsSync(lock));
  const { code, stderr } = await runCli(t, ['resume', 'r', '--steps', '40', '--no-metrics'], {
    cwd,
  });
  t.is(code, 0, stderr);
  t.false(existsSync(lock));
  oneRunOnly(t, join(cwd, 'r'));
});

test('train --force takes over the folder of a run that was killed', async (t) => {
  const { cwd, lock } = place(t);
  const running = await training(t, cwd);
  running.child.kill('SIGKILL');
  await running.finished;
  const { code, stderr } = await runCli(t, train('--force', '--steps', '3'), { cwd });
  t.is(code, 0, stderr);
  t.false(existsSync(lock));
  t.is(linesOf(logsOf(join(cwd, 'r')).steps).length, 3);
});

test('a second Ctrl-C releases the folder too', async (t) => {
  const { cwd, lock } = place(t);
  // One step takes about a minute.
  const model = ['--backend', 'reference', '--hidden', '160', '--layers', '4'];
  const cut = ['--batch', '4', '--chunk', '280', '--val-fraction', '0'];
  const args = ['train', 'text.txt', '--run', 'r', '--no-metrics', ...model, ...cut];
  const running = startCli(t, args, { cwd });
  await running.shows(/metrics\s+off\n/);
  t.true(existsSync(lock));
  running.child.kill('SIGINT');
  await running.shows(/Stopping after this step/);
  running.child.kill('SIGINT');
  t.is((await running.finished).code, 130);
  t.false(existsSync(lock));
});

test('a run that cannot go on releases its folder', async (t) => {
  const { cwd, lock } = place(t);
  t.is((await runCli(t, train('--steps', '5'), { cwd })).code, 0);
  writeText(cwd, 'text.txt', 1300);
  const { code, stderr } = await runCli(t, ['resume', 'r', '--no-metrics'], { cwd });
  t.is(code, 2);
  t.regex(stderr, /Expected the text the run was started with/);
  t.false(existsSync(lock));
});

test('of commands that begin together in one folder exactly one trains', async (t) => {
  const { cwd } = place(t);
  const trainers = [1, 2].map((seed) =>
    startCli(t, train('--steps', '400', '--seed', `${seed}`), { cwd }),
  );
  const trained = await Promise.all(trainers.map(({ finished }) => finished));
  t.deepEqual(trained.map(({ code }) => code).sort(), [0, 2], trained.map((f) => f.stderr).join());
  oneRunOnly(t, join(cwd, 'r'));
  t.is(linesOf(logsOf(join(cwd, 'r')).steps).length, 400);

  const again = await training(t, cwd, '--force');
  again.child.kill('SIGKILL');
  await again.finished;
  const goOn = ['resume', 'r', '--epochs', '1000000', '--no-metrics'];
  const resumers = [1, 2].map(() => startCli(t, goOn, { cwd }));
  const first = await Promise.race(
    resumers.map(async (resumer, i) => ({ i, ...(await resumer.finished) })),
  );
  refused(t, first, resumers[1 - first.i].child.pid);
  await resumers[1 - first.i].shows(/step \d+/);
  resumers[1 - first.i].child.kill('SIGINT');
  t.is((await resumers[1 - first.i].finished).code, 130);
  oneRunOnly(t, join(cwd, 'r'));
});
