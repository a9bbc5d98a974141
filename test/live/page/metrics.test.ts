import test from 'ava';
import { formatBytes } from '../../../src/bytes.ts';
import { PHASES } from '../../../src/metrics/catalogue.ts';
import { formatNumber, formatSeconds, formatShare } from '../../../src/numbers.ts';
import { RUN } from '../../metrics/scrape.ts';
import { browserTest, closeBrowser, newPage, tilesOf } from './browser.ts';
import { RecordedRun } from './recorded-run.ts';

test.after.always(closeBrowser);

browserTest('the time of each phase, and its share, are those of the metrics', async (t) => {
  const run = await RecordedRun.start(t);
  run.phase('snapshot', 0.02);
  run.train(15);
  run.phase('sample', 0.3);
  run.validate(0.5);
  run.train(15);
  const metric = await run.scrape();
  const sums = PHASES.map((phase) => metric(`phase_seconds_sum{phase="${phase}"}`));
  const total = sums.reduce((sum, seconds) => sum + seconds, 0);
  const expected = PHASES.flatMap((phase, i) =>
    sums[i] > 0 ? [[phase, formatSeconds(sums[i] / 30), formatShare(sums[i] / total)]] : [],
  );
  t.deepEqual(
    expected.map(([phase]) => phase),
    ['load', 'compute', 'update', 'snapshot', 'sample', 'evaluate'],
  );

  const { page, complaints } = await newPage(t);
  await page.goto(run.url);
  await page.waitForSelector('#phases canvas');
  const rows = await page.locator('#phases .means tbody tr').all();
  const shown = rows.map((row) => row.locator('th, td').allInnerTexts());
  t.deepEqual(await Promise.all(shown), expected);
  const summary = await page.locator('#phases .summary').textContent();
  t.true(summary?.startsWith(`A step takes ${formatSeconds(total / 30)} in the mean`), summary!);
  t.deepEqual(complaints, []);
});

browserTest('how busy each worker is, is what its seconds in the metrics come to', async (t) => {
  const run = await RecordedRun.start(t);
  run.train(10);
  const before = await run.scrape();
  run.train(10);
  run.validate(0.5);
  run.train(10);
  const after = await run.scrape();
  const grown = (name: string) => after(name) - before(name);
  const seconds = PHASES.map((phase) => grown(`phase_seconds_sum{phase="${phase}"}`));
  const total = seconds.reduce((sum, each) => sum + each, 0);
  const expected = [0, 1].map((worker) => [
    `worker ${worker}`,
    formatShare(grown(`worker_busy_seconds_total{worker="${worker}"}`) / total),
  ]);
  t.deepEqual(
    expected.map(([, share]) => share),
    ['86%', '25%'],
  );

  const { page } = await newPage(t);
  await page.goto(run.url);
  await page.waitForSelector('#workers li');
  const rows = await page.locator('#workers li').all();
  const shown = rows.map((row) => row.locator('.name, .value').allInnerTexts());
  t.deepEqual(await Promise.all(shown), expected);
});

browserTest(
  'the norm, its bound and the share that was clipped are those of the metrics',
  async (t) => {
    const run = await RecordedRun.start(t);
    run.train(31);
    const metric = await run.scrape();
    const share = metric('clipped_steps_total') / metric('steps_total');
    const [norm, bound] = ['gradient_norm', 'clip_norm'].map((name) => formatNumber(metric(name)));

    const { page } = await newPage(t);
    await page.goto(run.url);
    await page.waitForSelector('#norm canvas');
    t.deepEqual(await page.locator('#norm .legend .entry').allInnerTexts(), [
      `highest ${norm}`,
      `norm ${norm}`,
      `clipped above ${bound}`,
    ]);
    t.is(
      await page.locator('#norm .summary').textContent(),
      `The norm is ${norm}. ${formatShare(share)} of all steps were clipped to ${bound}.`,
    );
    t.is(await page.locator('.state dd.note').last().textContent(), `clipped above ${bound}`);
  },
);

browserTest(
  'checkpoints and the arena are those of the metrics, the age too as it grows',
  async (t) => {
    let secondsBehind = 50;
    const run = await RecordedRun.start(t, () => Date.now() - 1000 * secondsBehind);
    run.recorder.recordCheckpoint({ bytes: 2_703_360, seconds: 0.1 });
    run.recorder.recordCheckpoint({ bytes: 2_703_999, seconds: 0.1 });
    run.recorder.recordCheckpointSkipped();
    run.recorder.recordCheckpointFailure();
    secondsBehind = 0;
    run.train(1);
    const metric = await run.scrape();
    const arena = [...RUN.arenaBytes.keys()].map((region) =>
      metric(`arena_bytes{region="${region}"}`),
    );

    const { page, complaints } = await newPage(t);
    await page.goto(run.url);
    await page.waitForSelector('#loss canvas');
    t.like(await tilesOf(page, '#upkeep'), {
      'Its size': formatBytes(metric('checkpoint_bytes')),
      'Checkpoints written': String(metric('checkpoints_total')),
      'Checkpoints failed': String(metric('checkpoint_failures_total')),
      Arena: formatBytes(arena.reduce((sum, bytes) => sum + bytes, 0)),
    });
    const notes = await page.locator('#upkeep dd.note').allInnerTexts();
    t.is(notes[2], `${metric('checkpoint_skipped_total')} left out, writer busy`);
    const age = (await run.scrape())('checkpoint_age_seconds');
    t.true(age >= 50);
    const shown = await page.waitForFunction((least) => {
      const text = document.querySelector('#upkeep dd')?.textContent ?? '';
      const [, minutes = 0, seconds] = /^(?:(\d+)m )?(\d+)s ago$/.exec(text) ?? [];
      const told = 60 * Number(minutes) + Number(seconds);
      return told >= least && told;
    }, Math.ceil(age));
    t.true(Number(await shown.jsonValue()) <= (await run.scrape())('checkpoint_age_seconds') + 1);
    t.deepEqual(complaints, []);
  },
);
