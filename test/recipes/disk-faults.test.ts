/** Disks that fail under a run: it goes on, says so, keeps its last checkpoint, and is resumed as if nothing had been. */
import { chmodSync, closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { inspect } from '../../src/recipes/inspect.ts';
import type { TrainResult } from '../../src/recipes/reports.ts';
import { resume } from '../../src/recipes/train.ts';
import { runCli, TINY } from '../helpers/cli.ts';
import { otherUser, slowDisk, smallDisk } from '../helpers/disks.ts';
import { FLAGS, sameAsNeverDisturbed, startRun } from '../helpers/endless-run.ts';
import { checkpointSteps, linesOf, logsOf, noteWarnings } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleText, writeText } from '../helpers/text.ts';

/** A model whose checkpoint takes about 150 KiB. */
const LARGE = TINY.map((value, i) => (TINY[i - 1] === '--hidden' ? '48' : value));

test('a disk that fills up and is emptied again: what waited is written, the exit code is 1', async (t) => {
  const disk = smallDisk(t, 2048);
  if (!disk) return;
  const { text, run, until, stop } = await startRun(t, disk.path);
  await until((value) => value('step') > 100);
  const filler = join(disk.path, 'filler');
  fill(filler);
  await until((value) => value('checkpoint_failures_total') > 1 && value('pending_log_bytes') > 0);
  rmSync(filler);
  await until((value) => value('pending_log_bytes') === 0);
  const { code, stderr, result } = await stop();
  t.is(code, 1);
  t.regex(stderr, /^warning: .*steps\.ndjson could not be written: ENOSPC/m);
  t.regex(stderr, /^warning: The checkpoint of step \d+ could not be written: .*ENOSPC/m);
  t.is(inspect(run).step, result.steps);
  t.deepEqual(await sameAsNeverDisturbed(t, text, run, result.steps), []);
});

test('a disk too small for a second checkpoint keeps the first, and the run ends with 1', async (t) => {
  const disk = smallDisk(t, 256);
  if (!disk) return;
  const text = writeText(temporaryFolder(t));
  const others = ['--no-metrics', '--json', '--steps', '120'];
  const run = join(disk.path, 'r');
  const { code, stdout, stderr } = await runCli(t, [
    'train',
    text,
    ...LARGE,
    ...FLAGS.slice(0, -2),
    ...others,
    '--run',
    run,
    '--val-fraction',
    '0',
  ]);
  t.is(code, 1, stderr);
  const { steps, paramsSha256, failures }: TrainResult = JSON.parse(stdout);
  t.is(steps, 120);
  for (const failure of failures) t.regex(failure, /could not be written: .*ENOSPC/);
  const unsaved = failures.flatMap(
    (failure) => /^The checkpoint of step (\d+)/.exec(failure)?.[1] ?? [],
  );
  t.deepEqual(unsaved, ['50', '100', '120']);
  // While half a checkpoint fills the disk, lines of a log may have to wait too.
  const waiting = failures.filter((failure) => failure.includes('.ndjson'));
  t.is(waiting.length, failures.length - unsaved.length);
  t.deepEqual(checkpointSteps(run), [0]);
  disk.resize(4096);
  const resumed = await resume(run);
  t.is(resumed.paramsSha256, paramsSha256);
  t.deepEqual(resumed.failures, []);
  t.is(inspect(run).step, 120);
});

test('a disk too small for any checkpoint: the run ends with 1 and can be begun anew', async (t) => {
  const disk = smallDisk(t, 64);
  if (!disk) return;
  const text = writeText(temporaryFolder(t));
  const others = ['--no-metrics', '--quiet', '--steps', '20'];
  const run = join(disk.path, 'r');
  const { code, stderr } = await runCli(t, ['train', text, ...LARGE, ...others, '--run', run]);
  t.is(code, 1);
  t.regex(stderr, /^warning: The checkpoint of step 0 could not be written: .*ENOSPC/m);
  disk.resize(4096);
  const refused = await runCli(t, ['resume', run]);
  t.is(refused.code, 2);
  const again = / Start it again: threadloom (.+)\n$/.exec(refused.stderr)?.[1] ?? '';
  t.is((await runCli(t, again.split(' '))).code, 0);
});

const asOther = process.getuid ? test : test.skip;
asOther('a folder that becomes read-only in the middle of a run', async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o777);
  const { text, run, until, stop } = await startRun(t, folder, { user: otherUser() });
  await until((value) => value('step') > 100);
  const checkpoints = join(run, 'checkpoints');
  for (const path of [checkpoints, run]) chmodSync(path, 0o555);
  await until((value) => value('checkpoint_failures_total') > 1);
  const before = checkpointSteps(run);
  const { code, stderr, result } = await stop();
  t.is(code, 1);
  t.regex(stderr, /^warning: The checkpoint of step \d+ could not be written: .*EACCES.*/m);
  t.deepEqual(checkpointSteps(run), before);
  t.true(inspect(run).step < result.steps);
  for (const path of [checkpoints, run]) chmodSync(path, 0o777);
  t.deepEqual(await sameAsNeverDisturbed(t, text, run, result.steps), []);
});

test('a slow disk: training goes on, checkpoints are left out and counted, the last one waits', async (t) => {
  const slow = slowDisk(t, '.ckpt.tmp');
  if (!slow) return;
  const folder = temporaryFolder(t);
  const { text, run, running, until, stop } = await startRun(t, folder, { env: slow.env });
  await running.shows(/validation after 0 steps/);
  writeFileSync(slow.gate, '');
  await until((value) => value('checkpoint_skipped_total') >= 3);
  const stopping = stop();
  await running.shows(/Stopping after this step/);
  rmSync(slow.gate);
  const { code, stderr, result } = await stopping;
  t.is(code, 130);
  t.deepEqual(result.failures, []);
  t.is(stderr.match(/^warning: The checkpoint of step \d+ is left out, because/gm)?.length, 1);
  t.is(inspect(run).step, result.steps);
  t.deepEqual(await sameAsNeverDisturbed(t, text, run, result.steps), []);
});

const limited = ['bash', '-c', 'ulimit -f 24 && exec "$@"', 'bash'];
for (const [keep, what] of [
  [99, 'are made again from the last checkpoint before them'],
  [1, 'stay missing where no such checkpoint was kept, and the run goes on'],
] as const) {
  test(`lines that never found room ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    const text = join(folder, 'text.txt');
    writeFileSync(text, sampleText(1200));
    const run = join(folder, 'r');
    const flags = [...TINY, ...FLAGS, '--keep', String(keep), '--no-metrics', '--quiet'];
    const { code, stderr } = await runCli(
      t,
      ['train', text, ...flags, '--run', run, '--steps', '300'],
      { prefix: limited },
    );
    t.is(code, 1);
    t.regex(stderr, /^warning: .*steps\.ndjson could not be written: EFBIG/m);
    t.is(checkpointSteps(run).at(-1), 300);
    if (keep === 1) {
      const written = stepsLogged(run);
      const warnings: string[] = [];
      const onWarning = noteWarnings(warnings);
      const result = await resume(run, { steps: 330 }, { onWarning });
      t.is(result.steps, 330);
      t.deepEqual(result.failures, []);
      t.is(warnings.length, 1, warnings.join('\n'));
      t.regex(
        warnings[0],
        /^Lines of the run's logs are lost and stay missing: .*steps\.ndjson has/,
      );
      t.true(written.length < 300);
      t.deepEqual(written, stepsBetween(0, written.length));
      t.deepEqual(stepsLogged(run), [...written, ...stepsBetween(300, 330)]);
      return;
    }
    const warnings = await sameAsNeverDisturbed(t, text, run, 300);
    t.regex(warnings[0], /step-00000300\.ckpt" is passed over, because lines were lost/);
  });
}

/** Of the whole lines in its log. */
function stepsLogged(run: string): number[] {
  const { steps } = logsOf(run);
  return linesOf(steps.slice(0, steps.lastIndexOf('\n') + 1)).map(({ step }) => step);
}

/** Without the first. */
function stepsBetween(first: number, last: number): number[] {
  return Array.from({ length: last - first }, (_, i) => first + 1 + i);
}

/** Takes all the room that is left. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [65_536, 4096, 512, 1]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch {
        // Full for pieces of this size.
      }
    }
  } finally {
    closeSync(file);
  }
}
