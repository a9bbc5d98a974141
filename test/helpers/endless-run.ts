/** A run of the command that goes on until it is stopped, and what must come of it when it is resumed. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { TrainResult } from '../../src/recipes/reports.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { parseSeries } from '../metrics/scrape.ts';
import { type CliOptions, startCli, TINY } from './cli.ts';
import { logsOf, noteWarnings, TINY_SETTINGS } from './runs.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { writeText } from './text.ts';

/** The learning rate does not depend on the length, so that any step can be the last to compare. */
const SETTINGS = { schedule: 'constant', checkpointEvery: 50, evalEvery: 400 } as const;
export const FLAGS = ['--schedule', 'constant', '--checkpoint-every', '50', '--eval-every', '400'];

/** Starts a run that does not end by itself, in `folder`/r, on a text elsewhere. */
export async function startRun(
  t: ExecutionContext,
  folder: string,
  options: CliOptions = {},
  flags: readonly string[] = [],
) {
  const text = writeText(temporaryFolder(t));
  chmodSync(join(text, '..'), 0o755);
  const run = join(folder, 'r');
  const endless = ['--epochs', '1000000', '--metrics-port', '0', '--json'];
  const args = [
    'train',
    text,
    ...TINY,
    ...FLAGS,
    ...endless,
    '--run',
    run,
    '--workers',
    '2',
    ...flags,
  ];
  const running = startCli(t, args, options);
  const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  /** Waits until the metrics say so. */
  const until = async (holds: (value: (name: string) => number) => boolean) => {
    for (;;) {
      const series = parseSeries(await (await fetch(`${url}/metrics`)).text());
      if (holds((name) => series.get(`threadloom_${name}`) ?? Number.NaN)) return;
    }
  };
  const stop = async () => {
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.finished;
    return { code, stderr, result: JSON.parse(stdout) as TrainResult };
  };
  return { text, run, running, until, stop };
}

/** Some steps more than were done, so that the resumed run has something to do. */
export async function sameAsNeverDisturbed(
  t: ExecutionContext,
  text: string,
  run: string,
  done: number,
) {
  const steps = done + 30;
  const warnings: string[] = [];
  const onWarning = noteWarnings(warnings);
  const resumed = await resume(run, { steps, metrics: false }, { onWarning });
  const other = join(temporaryFolder(t), 'whole');
  const whole = await train({ ...TINY_SETTINGS, ...SETTINGS, files: [text], run: other, steps });
  t.is(resumed.paramsSha256, whole.paramsSha256);
  t.deepEqual(resumed.failures, []);
  t.deepEqual(logsOf(run), logsOf(other));
  return warnings;
}
