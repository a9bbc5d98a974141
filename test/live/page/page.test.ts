import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Snapshot } from '../../../src/live/protocol.ts';
import { renderReport } from '../../../src/live/report-page.ts';
import { formatCount, formatNumber } from '../../../src/numbers.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { browserTest, closeBrowser, newPage, type OpenPage, openTable } from './browser.ts';
import { contrasts, noteDelays, outline, unlabelled } from './checks.ts';
import { EventServer } from './event-server.ts';
import {
  ALERTS,
  madeUpEvaluation,
  madeUpGradients,
  madeUpPoint,
  madeUpRun,
  madeUpSample,
} from './made-up-run.ts';

test.after.always(closeBrowser);

const FOLDER = new URL('../../../src/live/page/', import.meta.url);
const FILES = ['index.html', 'page.js', 'page.css'];

test('the page weighs less than 150 kB', (t) => {
  const built = readdirSync(FOLDER);
  for (const file of FILES) t.true(built.includes(file), file);
  const bytes = FILES.reduce((sum, file) => sum + statSync(new URL(file, FOLDER)).size, 0);
  t.true(bytes < 150_000, `${bytes} bytes`);
});

/** Of a page that draws ten times a second a third of the time. */
const FRAME_BUDGET_MILLISECONDS = 33;

/** From an event to its picture: within it, answers to a click count as good (Interaction to Next Paint). */
const PICTURE_BUDGET_MILLISECONDS = 200;

/** A page that shows a made-up run, and the server that it is of. */
async function shown(
  t: ExecutionContext,
  snapshot: Snapshot,
  options?: Parameters<typeof newPage>[1],
): Promise<OpenPage & { server: EventServer }> {
  const opened = await newPage(t, options);
  const server = await EventServer.start(t, snapshot);
  await opened.page.goto(server.url);
  await opened.page.waitForSelector('#loss canvas');
  return { ...opened, server };
}

/** Waits until an element has a text. */
async function reads({ page }: OpenPage, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ timeout: 10_000 });
}

browserTest(
  'what the snapshot holds stands on the page, and nothing is complained about',
  async (t) => {
    const opened = await shown(t, madeUpRun(1000, { alerts: ALERTS }));
    const { page, complaints } = opened;
    const text = async (selector: string) =>
      (await page.locator(selector).textContent())?.trim() ?? '';
    t.is(await text('h1'), 'made-up');
    t.is(await text('.badge'), 'training');
    const last = madeUpPoint(1000);
    const tiles = await page.locator('.state dd:not(.note)').allInnerTexts();
    t.deepEqual(tiles, [
      '1,000',
      '1m 01s',
      (last.loss as number).toFixed(4),
      '2.0000',
      formatCount(last.tokensPerSecond),
      formatNumber(last.gradNorm as number),
    ]);
    t.regex(await text('#loss .summary'), /Validation 2\.0000 after 1,000 steps; best 2\.0000/);
    t.regex(await text('#alerts [role=alert]'), /critical The loss is 2\.1 times its lowest\./);
    t.regex(await text('#alerts [role=status]'), /ThreadloomStraggler, since /);
    t.regex(await text('#lags .sentences'), /layer 0: the gradient 32 steps back is 0\.000\d+ of/);
    t.is(await page.locator('#lags canvas').count(), 3, 'two layers and the scale');
    t.is(await text('#samples article:first-child pre'), madeUpSample(1000).text.trim());
    t.is(await page.locator('#samples pre b').count(), 0, 'text is never markup');
    t.regex(await text('#configuration'), /--hidden192/);
    t.deepEqual(complaints, []);
  },
);

browserTest('what is not measured says which flag shows it', async (t) => {
  const run = { ...madeUpRun(0).run, settings: [] };
  const opened = await newPage(t);
  const server = await EventServer.start(t, madeUpRun(0, { run, evaluations: [] }));
  await opened.page.goto(server.url);
  await reads(opened, '#lags .empty', 'Train with --gradients-every 100');
  await reads(opened, '#samples .empty', 'Train with --sample-every 100');
  await reads(opened, '#loss .empty', 'No step has been taken yet.');
  server.send('points', [madeUpPoint(1)]);
  await reads(opened, '#loss .summary', 'at step 1,');
  t.deepEqual(opened.complaints, []);
});

browserTest('a dropped stream is taken up where it ended, without gap or repeat', async (t) => {
  const opened = await shown(t, madeUpRun(50));
  const { page, server } = opened;
  server.send('points', [madeUpPoint(51)]);
  await reads(opened, '#loss .summary', 'at step 51');
  server.isAway = true;
  server.drop();
  await reads(opened, '.connection', 'connection lost, trying again');
  server.send('points', [madeUpPoint(52)]);
  server.send('evaluation', madeUpEvaluation(52));
  server.isAway = false;
  await reads(opened, '#loss .summary', 'at step 52');
  await reads(opened, '.connection', 'connected');
  t.is(server.lastIds[0], undefined);
  t.is(server.lastIds.at(-1), '1', 'the browser says which event it had last');
  await openTable(page, '#throughput');
  const steps = await page.locator('#throughput tbody th').allInnerTexts();
  t.deepEqual(
    steps,
    Array.from({ length: 52 }, (_, i) => String(52 - i)),
  );
});

browserTest('an alert that stays is not touched when another comes, changes or goes', async (t) => {
  const [warning, critical] = ALERTS;
  const opened = await shown(t, madeUpRun(50, { alerts: [critical] }));
  const { page, server } = opened;
  await page.evaluate(() => {
    const changes: string[] = [];
    Object.assign(window, { changes });
    const record = (found: MutationRecord[]) => changes.push(...found.map(({ type }) => type));
    const all = { subtree: true, childList: true, characterData: true, attributes: true };
    const region = document.querySelector('#alerts [role=alert]') as Element;
    new MutationObserver(record).observe(region, all);
  });
  server.send('alerts', [critical, warning]);
  await reads(opened, '#alerts [role=status]', warning.message);
  const kept = await page.locator('#alerts .warning').elementHandle();
  server.send('alerts', [critical, { ...warning, message: 'Worker 1 is slower still.' }]);
  await reads(opened, '#alerts .warning', 'Worker 1 is slower still.');
  t.true(await kept?.evaluate((element) => element.isConnected));
  server.send('alerts', [critical]);
  await page.locator('#alerts .warning').waitFor({ state: 'detached' });
  t.deepEqual(await page.evaluate(() => (window as unknown as { changes: string[] }).changes), []);
  server.send('alerts', []);
  await reads(opened, '#alerts [role=status] .all-well', 'No alert.');
});

browserTest(
  'what a step does not change stays: samples, pictures, the table of phases',
  async (t) => {
    const opened = await shown(t, madeUpRun(1000));
    const { page, server } = opened;
    const places = ['#samples pre', '#lags .sentences li', '#lags .lags span', '#phases .means td'];
    const before = await Promise.all(
      places.map((place) => page.locator(place).first().elementHandle()),
    );
    for (let step = 1001; step <= 1003; step++) {
      server.send('points', [madeUpPoint(step)]);
      server.send('state', { kind: 'training', step, secondsLeft: 60 });
      await reads(opened, '.state dd', formatCount(step));
    }
    for (const [i, handle] of before.entries()) {
      t.true(await handle?.evaluate((element) => element.isConnected), places[i]);
    }
    server.send('sample', madeUpSample(1500));
    await reads(opened, '#samples h3', 'After 1,500 steps');
  },
);

browserTest('an open table comes to have the last steps, and every validation', async (t) => {
  const opened = await shown(t, madeUpRun(1800));
  const { page, server } = opened;
  await openTable(page, '#loss');
  await reads(opened, '#loss tbody th', '1,800');
  const validations = await page.locator('#loss tbody td:last-child').allInnerTexts();
  t.is(validations.filter((text) => text !== '–').length, 4);
  for (let step = 1801; step <= 1803; step++) server.send('points', [madeUpPoint(step)]);
  await reads(opened, '#loss tbody tr:first-child th', '1,803');
});

browserTest('a report says what its logs do not hold, even of a run that trains', async (t) => {
  const opened = await newPage(t);
  const run = madeUpRun(50);
  const points = run.points.map((point) => ({ ...point, time: null, busyShares: [] }));
  const path = join(temporaryFolder(t), 'report.html');
  writeFileSync(path, renderReport({ ...run, points }));
  await opened.page.goto(pathToFileURL(path).href);
  await reads(opened, '.badge', 'training');
  await reads(opened, '#alerts', 'its logs do not hold them');
  await reads(opened, '#workers', 'The logs of this run do not hold it.');
  t.deepEqual(opened.complaints, []);
});

browserTest('a report of a run that failed says so, and why', async (t) => {
  const { page, complaints } = await newPage(t);
  const message = 'The gradient of step 51 is not finite (loss NaN).';
  const state = { kind: 'failed', step: 50, secondsLeft: null, message } as const;
  const path = join(temporaryFolder(t), 'report.html');
  writeFileSync(path, renderReport(madeUpRun(50, { state })));
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector('#loss canvas');
  t.is(await page.locator('.badge').textContent(), 'failed');
  t.is(await page.locator('.state .reason').textContent(), message);
  t.deepEqual(complaints, []);
});

browserTest('what is not finite is shown as such', async (t) => {
  const opened = await shown(t, madeUpRun(1000));
  const { server } = opened;
  server.send('evaluation', { step: 1100, tokens: 1, loss: null, best: false });
  await reads(opened, '.state dd', 'not finite');
  await reads(opened, '#loss .summary', 'Validation is not finite after 1,100 steps; best 2.0000');
  const gradients = madeUpGradients(1100);
  const layers = gradients.layers.map((layer) => ({
    ...layer,
    updateRatio: null,
    normByLag: layer.normByLag?.map(({ lag, norm }) => ({ lag, norm: lag < 16 ? norm : null })),
  }));
  server.send('gradients', { ...gradients, layers });
  await reads(opened, '#lags .sentences', 'layer 0: the gradient 32 steps back is not finite.');
  await reads(opened, '#updates .summary', 'embedding not finite, layer 0 not finite');
  await reads(opened, '#lags .lags span', '32–49');
  await openTable(opened.page, '#lags');
  await reads(opened, '#lags tbody td', 'not finite');
  t.deepEqual(opened.complaints, []);
});

browserTest(
  'keys move through the steps of a chart, and stay on theirs while it grows',
  async (t) => {
    const opened = await shown(t, madeUpRun(1000));
    const { page, server } = opened;
    const chart = page.getByRole('slider', { name: 'Chart: Loss by step' });
    const value = () => chart.getAttribute('aria-valuetext');
    const where = () => page.locator('#loss .where').textContent();
    t.regex(
      (await value()) ?? '',
      /^latest: train \d\.\d{4}, smoothed \d\.\d{4}, validation 2\.0000/,
    );
    await chart.focus();
    await page.keyboard.press('Home');
    t.is(await where(), 'step 0');
    await page.keyboard.press('ArrowRight');
    t.is(await where(), 'step 1');
    t.regex(
      (await value()) ?? '',
      /^step 1: train 4\.\d{4}, smoothed 4\.\d{4}, validation –, range 4/,
    );
    t.is(await chart.getAttribute('aria-valuenow'), '1');
    t.is(await chart.getAttribute('aria-valuemax'), '1000');
    const told = await value();
    server.send(
      'points',
      Array.from({ length: 800 }, (_, i) => madeUpPoint(1001 + i)),
    );
    await reads(opened, '#loss .summary', 'at step 1,800');
    t.is(await where(), 'step 1');
    t.is(await value(), told);
    await page.keyboard.press('PageUp');
    t.is(await where(), 'step 181');
    const isLeft = await chart.evaluate((element) => {
      const init = { key: 'ArrowLeft', altKey: true, bubbles: true, cancelable: true };
      return element.dispatchEvent(new KeyboardEvent('keydown', init));
    });
    t.true(isLeft, 'the browser goes back');
    t.is(await where(), 'step 181');
    await page.keyboard.press('Escape');
    t.is(await where(), 'latest');
    t.regex((await value()) ?? '', /^latest: /);
    await page.keyboard.press('End');
    t.is(await where(), 'step 1,800');
    await page.keyboard.press('Tab');
    t.is(await where(), 'latest');
    t.deepEqual(opened.complaints, []);
  },
);

browserTest('a run that starts does not make up what it does not know yet', async (t) => {
  const opened = await newPage(t);
  const { run } = madeUpRun(0);
  const unknown = { parameters: 0, vocabulary: 0, totalSteps: 0, stepsPerEpoch: 0 };
  const start = { ...run, ...unknown, backend: '', variant: '' };
  const state = { kind: 'starting', step: 0, secondsLeft: null } as const;
  const server = await EventServer.start(t, madeUpRun(0, { run: start, state, evaluations: [] }));
  await opened.page.goto(server.url);
  await reads(opened, '.badge', 'starting');
  const facts = await opened.page.locator('#configuration table').first().textContent();
  t.regex(facts ?? '', /parameters–vocabulary–steps–, – an epoch/);
  t.regex(facts ?? '', /kernels–/);
  t.is(await opened.page.locator('.state dd.note').first().textContent(), '');
  server.send('snapshot', madeUpRun(50, { evaluations: [] }));
  await reads(opened, '.state dd.note', 'of 20,000');
  await reads(opened, '#loss .summary', 'No validation so far.');
  server.send('state', { kind: 'finished', step: 50, secondsLeft: null });
  await reads(opened, '#loss .summary', 'No validation.');
  t.deepEqual(opened.complaints, []);
});

browserTest('charts of what was not measured say so once the run is over', async (t) => {
  const opened = await shown(t, madeUpRun(50));
  const { server } = opened;
  for (const id of ['lags', 'saturation', 'updates']) {
    await reads(opened, `#${id} .empty`, 'The first measurement comes with step 100');
  }
  server.send('state', { kind: 'stopped', step: 50, secondsLeft: null });
  for (const id of ['lags', 'saturation', 'updates']) {
    await reads(opened, `#${id} .empty`, 'the run ended before --gradients-every 100');
  }
  t.deepEqual(opened.complaints, []);
});

browserTest('a run that is over and its server say so, and the page stays', async (t) => {
  const opened = await shown(t, madeUpRun(50));
  opened.server.send('state', { kind: 'finished', step: 50, secondsLeft: null });
  await reads(opened, '.badge', 'finished');
  opened.server.close();
  await reads(opened, '.connection', 'the run is over and its server gone');
  t.is(await opened.page.locator('.state dd').first().textContent(), '50');
});

browserTest('of a long history, a step is on the screen soon after its event', async (t) => {
  const opened = await newPage(t);
  const { page } = opened;
  await page.addInitScript(noteDelays);
  const server = await EventServer.start(t, madeUpRun(10_000));
  await page.goto(server.url);
  await page.waitForSelector('#loss canvas');
  for (let round = 1; round <= 10; round++) {
    server.send('points', [madeUpPoint(10_000 + round)]);
    await reads(opened, '#loss .summary', `at step ${formatCount(10_000 + round)},`);
    await page.waitForFunction(
      (count) => (window as unknown as { delays: number[] }).delays.length >= count,
      round,
    );
  }
  const delays = await page.evaluate(() => (window as unknown as { delays: number[] }).delays);
  // The quickest, as above: a frame was drawn, painted and followed by the next within it.
  const quickest = Math.min(...delays);
  t.log(`${quickest.toFixed(1)} ms the quickest of ${delays.length} from event to picture`);
  t.true(quickest < PICTURE_BUDGET_MILLISECONDS, `it takes ${quickest} ms`);
});

browserTest('a long history and a fast stream keep the page quick and bounded', async (t) => {
  const opened = await shown(t, madeUpRun(10_000));
  const { page, server } = opened;
  await page.evaluate(() => {
    const record = { draws: [] as number[], frames: 0 };
    Object.assign(window, { record });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) record.draws.push(duration);
    }).observe({ entryTypes: ['measure'] });
    const count = () => {
      record.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
  for (let round = 0; round < 10; round++) {
    for (let i = 1; i <= 30; i++) server.send('points', [madeUpPoint(10_000 + 30 * round + i)]);
    await reads(opened, '#loss .summary', `at step ${formatCount(10_030 + 30 * round)},`);
  }
  const { draws, frames } = await page.evaluate(
    () => (window as unknown as { record: { draws: number[]; frames: number } }).record,
  );
  t.true(draws.length > 0 && draws.length <= frames + 1, `${draws.length} draws, ${frames} frames`);
  // The quickest: what else the machine does is not the page's.
  const quickest = Math.min(...draws);
  t.log(`${draws.length} draws for 300 events, ${quickest.toFixed(1)} ms the quickest`);
  t.true(quickest < FRAME_BUDGET_MILLISECONDS, `a draw takes ${quickest} ms`);
  await openTable(page, '#throughput');
  const rows = await page.locator('#throughput tbody tr').count();
  t.true(rows > 50 && rows <= 100, `${rows} rows`);
});

for (const colorScheme of ['light', 'dark'] as const) {
  browserTest(`in the ${colorScheme} theme all text can be read`, async (t) => {
    const opened = await shown(t, madeUpRun(1000, { alerts: ALERTS }), { colorScheme });
    const { page, complaints } = opened;
    await openTable(page, '#loss');
    const poor = (await page.evaluate(contrasts)).filter(({ ratio }) => ratio < 4.5);
    t.deepEqual(poor, []);
    t.is(await page.evaluate(() => document.documentElement.dataset.theme), colorScheme);
    t.deepEqual(complaints, []);
  });
}

browserTest('the theme can be chosen, and the choice is kept', async (t) => {
  const opened = await shown(t, madeUpRun(100), { colorScheme: 'light' });
  const { page } = opened;
  const back = () => page.evaluate(() => getComputedStyle(document.body).color);
  const light = await back();
  await page.getByRole('button', { name: 'Dark theme' }).click();
  const dark = await back();
  t.not(dark, light);
  await page.reload();
  await page.waitForSelector('#loss canvas');
  t.is(await back(), dark);
});

for (const width of [360, 768, 1280]) {
  browserTest(`nothing is wider than a screen of ${width} pixels`, async (t) => {
    const viewport = { width, height: 740 };
    const opened = await shown(t, madeUpRun(1000, { alerts: ALERTS }), { viewport });
    const { page } = opened;
    for (const summary of await page.locator('summary').all()) {
      if (await summary.isVisible()) await summary.click();
    }
    t.is(await page.evaluate(() => document.documentElement.scrollWidth), width);
  });
}

browserTest('keyboard and screen reader find their way', async (t) => {
  const opened = await shown(t, madeUpRun(1000));
  const { page } = opened;
  t.deepEqual(await page.evaluate(unlabelled), []);
  const levels = await page.evaluate(outline);
  t.is(levels[0], 1);
  t.is(levels.filter((level) => level === 1).length, 1);
  for (const [i, level] of levels.entries()) t.true(i === 0 || level <= levels[i - 1] + 1);
  t.is(await page.locator('header, main').count(), 2);
  const slider = page.getByRole('slider', { name: /smoothing/ });
  await slider.focus();
  await page.keyboard.press('Home');
  t.is(await slider.getAttribute('aria-valuetext'), 'off');
  const [train, smoothed] = await page.locator('#loss .legend b').allInnerTexts();
  t.is(smoothed, train);
});
