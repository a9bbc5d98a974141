/** Disks that do not answer: a thread that waits for one can neither be ended nor replaced. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
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
  const { text, run, running } = await startRun(t, folder, { env: slow.env }, LIMIT);
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
