/** Disks that do not answer: a thread that waits for one can neither be ended nor replaced. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { inspect } from '../../src/recipes/inspect.ts';
import { slowDisk } from '../helpers/disks.ts';
import { sameAsNeverDisturbed, startRun } from '../helpers/endless-run.ts';
import { checkpointSteps } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Soon enough for a test, late enough for a machine that has much to do. */
const LIMIT = ['--worker-timeout', '2'];
const STUCK = 'was told to end and does not: no progress for 2 s';

test('a loader that waits for ever for its disk ends the run, and the process with its exit code', async (t) => {
  const slow = slowDisk(t, 'text.txt');
  if (!slow) return;
  const folder = temporaryFolder(t);
  const { text, run, running } = await startRun(t, folder, slow, LIMIT);
  await running.shows(/validation after 0 steps/);
  writeFileSync(slow.gate, '');
  const { code, stdout, stderr } = await running.finished;
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, new RegExp(`^threadloom: The loader thread ${STUCK}`, 'm'));
  t.false(existsSync(join(run, 'run.lock')));
  rmSync(slow.gate);
  const [done] = checkpointSteps(run).slice(-1);
  t.deepEqual(await sameAsNeverDisturbed(t, text, run, done), []);
});

const goesOn = test.macro({
  title: (_, files: string) =>
    `a disk that does not answer for ${files}: training goes on, and saves again once it answers`,
  async exec(t, files: string) {
    const slow = slowDisk(t, files);
    if (!slow) return;
    const folder = temporaryFolder(t);
    const { text, run, running, until, stop } = await startRun(t, folder, slow, LIMIT);
    await running.shows(/validation after 0 steps/);
    writeFileSync(slow.gate, '');
    let written = 0;
    // The first that fails is the one that waits for the disk.
    await until((value) => {
      written = value('checkpoints_total');
      return value('checkpoint_failures_total') > 3;
    });
    const saved = checkpointSteps(run);
    // No part of a checkpoint is there before the lines that it counts on are on the disk.
    const begun = readdirSync(join(run, 'checkpoints')).filter((name) => name.endsWith('.tmp'));
    t.is(begun.length, files === '.ndjson' ? 0 : 1);
    rmSync(slow.gate);
    await until((value) => value('checkpoints_total') > written + 1);
    const { code, stderr, result } = await stop();
    t.is(code, 1);
    t.is(result.failures.length, 2, result.failures.join('\n'));
    t.regex(
      result.failures[0],
      /^The checkpoint of step \d+ could not be written: The checkpoint wr/,
    );
    t.regex(
      result.failures[1],
      /^No checkpoint is written until the thread ends: The checkpoint wr/,
    );
    for (const failure of result.failures) {
      t.true(failure.includes(STUCK));
      t.is(stderr.split(`warning: ${failure}`).length, 2, 'told once');
    }
    t.true(inspect(run).step > saved.at(-1)!);
    t.is(inspect(run).step, result.steps);
    t.deepEqual(await sameAsNeverDisturbed(t, text, run, result.steps), []);
  },
});

const stops = test.macro({
  title: (_, files: string) =>
    `Ctrl-C while the disk does not answer for ${files}: the run ends with 1, the last checkpoint valid`,
  async exec(t, files: string) {
    const slow = slowDisk(t, files);
    if (!slow) return;
    const folder = temporaryFolder(t);
    const { text, run, running, until, stop } = await startRun(t, folder, slow, LIMIT);
    await running.shows(/validation after 0 steps/);
    writeFileSync(slow.gate, '');
    await until((value) => value('checkpoint_skipped_total') > 0);
    const { code, result } = await stop();
    t.is(code, 1);
    t.true(result.interrupted);
    t.regex(
      result.failures[0],
      /^The checkpoint of step \d+ could not be written: The checkpoint wr/,
    );
    t.false(existsSync(join(run, 'run.lock')));
    rmSync(slow.gate);
    t.true(inspect(run).step < result.steps);
    t.deepEqual(await sameAsNeverDisturbed(t, text, run, result.steps), []);
  },
});

test('a second Ctrl-C ends the process at once also while the disk does not answer', async (t) => {
  const slow = slowDisk(t, '.ckpt.tmp');
  if (!slow) return;
  const { run, running, until } = await startRun(t, temporaryFolder(t), slow);
  await running.shows(/validation after 0 steps/);
  writeFileSync(slow.gate, '');
  await until((value) => value('checkpoint_skipped_total') > 0);
  running.child.kill('SIGINT');
  await running.shows(/Stopping after this step/);
  // Not before half a second, else the two are one.
  const again = setInterval(() => running.child.kill('SIGINT'), 100);
  const { code } = await running.finished.finally(() => clearInterval(again));
  t.is(code, 130);
  t.false(existsSync(join(run, 'run.lock')));
});

for (const files of ['.ckpt.tmp', '.ndjson']) {
  test(goesOn, files);
  test(stops, files);
}
