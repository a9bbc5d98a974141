import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { formatBytes } from '../../../src/bytes.ts';
import { formatNumber } from '../../../src/numbers.ts';
import { runCli, startCli, TINY } from '../../helpers/cli.ts';
import { type LoggedStep, linesOf, logsOf } from '../../helpers/runs.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { writeText } from '../../helpers/text.ts';
import { parseSeries } from '../../metrics/scrape.ts';
import { browserTest, closeBrowser, newPage, openTable, tilesOf } from './browser.ts';

test.after.always(closeBrowser);

/** Mean seconds of a step in each phase that took any. */
async function phaseTimesOf(page: Page): Promise<Map<string, number>> {
  const rows = await page.locator('#phases .means tbody tr').all();
  const cells = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
  const units: Record<string, number> = { s: 1, ms: 1e-3, µs: 1e-6 };
  return new Map(
    cells.map(([phase, time]) => {
      const [value, unit] = time.split(' ');
      return [phase, Number(value) * units[unit]];
    }),
  );
}

/** To the three digits that are shown, of times that are told to a microsecond. */
function isNear(t: ExecutionContext, shown: number, exact: number, what: string): void {
  t.true(Math.abs(shown - exact) <= 0.006 * exact + 1.5e-6, `${what}: ${shown} for ${exact}`);
}

/** `1,234` */
function numberOf(text = ''): number {
  return Number(text.replaceAll(',', ''));
}

/** Resolves once the page shows a later step. */
async function stepAbove(page: Page, step: number): Promise<void> {
  await page.waitForFunction((least) => {
    const tile = document.querySelector('.state dd:not(.note)');
    return Number(tile?.textContent?.replaceAll(',', '')) > least;
  }, step);
}

/** Trains to the end and keeps the port open. */
async function trained(t: ExecutionContext) {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const flags = ['--steps', '60', '--eval-every', '20', '--workers', '2', '--run', 'real'];
  const port = ['--metrics-port', '0', '--metrics-linger', '120'];
  const running = startCli(t, ['train', 'text.txt', ...TINY, ...flags, ...port], { cwd });
  const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  return { cwd, url, running };
}

browserTest('page, metrics, logs and report of a real run show the same numbers', async (t) => {
  const opened = await newPage(t);
  const { page, complaints } = opened;
  const { cwd, url, running } = await trained(t);
  await page.goto(url);
  await page.locator('.badge', { hasText: 'finished' }).waitFor();
  const text = await (await fetch(`${url}/metrics`)).text();
  const series = parseSeries(text, 'real');
  const metric = (name: string) => series.get(`threadloom_${name}`) ?? Number.NaN;
  const { steps, evals } = logsOf(join(cwd, 'real'));
  const last = linesOf<LoggedStep>(steps).at(-1) as LoggedStep;
  const validation = linesOf<{ loss: number }>(evals).at(-1);
  const expected = {
    Step: '60',
    'Training loss': metric('train_loss').toFixed(4),
    'Validation loss': metric('validation_loss').toFixed(4),
    'Gradient norm': formatNumber(metric('gradient_norm')),
  };
  t.is(metric('step'), 60);
  t.is(expected['Training loss'], last.loss.toFixed(4));
  t.is(expected['Validation loss'], validation?.loss.toFixed(4));
  t.is(expected['Gradient norm'], formatNumber(last.gradNorm));
  t.like(await tilesOf(page), expected);
  t.regex(
    (await page.locator('#throughput .summary').textContent()) ?? '',
    /^[\d,]+ tokens a second at the last step/,
  );
  t.is(await page.locator('#workers li').count(), 2);
  const norm = await page.locator('#norm .legend b').allInnerTexts();
  t.deepEqual(norm.slice(1), [formatNumber(last.gradNorm), formatNumber(metric('clip_norm'))]);
  for (const [phase, seconds] of await phaseTimesOf(page)) {
    isNear(t, seconds, metric(`phase_seconds_sum{phase="${phase}"}`) / 60, phase);
  }
  const upkeep = await tilesOf(page, '#upkeep');
  t.is(upkeep['Its size'], formatBytes(metric('checkpoint_bytes')));
  t.is(upkeep['Checkpoints written'], String(metric('checkpoints_total')));
  t.is(upkeep['Checkpoints failed'], '0');
  const [, resident] = /^process_resident_memory_bytes\S* (\d+)$/m.exec(text) ?? [];
  const told = Number.parseFloat(upkeep['Resident memory']);
  t.regex(upkeep['Resident memory'], / MiB$/);
  t.true(Math.abs(told / (Number(resident) / 2 ** 20) - 1) < 0.1, `${told} MiB for ${resident}`);
  t.deepEqual(complaints, []);

  running.child.kill('SIGINT');
  await running.finished;
  await page.locator('.connection', { hasText: 'its server gone' }).waitFor();

  const { code, stdout } = await runCli(t, ['report', 'real', '--json'], { cwd });
  t.is(code, 0);
  const { report } = JSON.parse(stdout);
  complaints.length = 0; // The lost connection is one.
  await page.goto(pathToFileURL(report).href);
  await page.waitForSelector('#loss canvas');
  t.like(await tilesOf(page), expected);
  t.is(await page.locator('.badge').textContent(), 'finished');
  t.is(await page.locator('.connection').textContent(), 'report');
  const saved = await tilesOf(page, '#upkeep');
  t.is(saved['Its size'], upkeep['Its size']);
  t.regex(saved['Last checkpoint'], / ago$/);
  t.is(saved['Resident memory'], '–');
  const phases = await phaseTimesOf(page);
  // No log holds the snapshot for the last checkpoint, which counts their lines.
  t.true(phases.delete('snapshot'));
  for (const [phase, seconds] of phases) {
    isNear(t, seconds, metric(`phase_seconds_sum{phase="${phase}"}`) / 60, phase);
  }
  for (const phase of ['compute', 'evaluate']) t.true(phases.has(phase), phase);
  t.deepEqual(complaints, []);
});

browserTest(
  'a page that is left open goes on with the run after a kill and a resume',
  async (t) => {
    const { page } = await newPage(t);
    const cwd = temporaryFolder(t);
    writeText(cwd);
    const model = [...TINY, '--epochs', '1000000', '--checkpoint-every', '20', '--run', 'killed'];
    const first = startCli(t, ['train', 'text.txt', ...model, '--metrics-port', '0'], { cwd });
    const [, url] = await first.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
    await page.goto(url);
    await stepAbove(page, 40);
    first.child.kill('SIGKILL');
    await first.finished;
    await page.locator('.connection', { hasText: 'trying again' }).waitFor();
    const before = numberOf((await tilesOf(page)).Step);

    const port = ['--metrics-port', new URL(url).port];
    const second = startCli(t, ['resume', 'killed', ...port], { cwd });
    await page.locator('.connection', { hasText: 'connected' }).waitFor();
    await stepAbove(page, before);
    t.is(await page.locator('.badge').textContent(), 'training');
    // The whole history, from the logs of the process that was killed on.
    await openTable(page, '#loss');
    const steps = await page.locator('#loss tbody th').allInnerTexts();
    t.true(numberOf(steps.at(-1)) < before / 4, String(steps));
    second.child.kill('SIGINT');
    t.is((await second.finished).code, 130);
  },
);
