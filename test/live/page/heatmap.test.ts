import test from 'ava';
import { formatNumber } from '../../../src/numbers.ts';
import { browserTest, closeBrowser, newPage, openTable } from './browser.ts';
import { EventServer } from './event-server.ts';
import { madeUpGradients, madeUpPoint, madeUpRun } from './made-up-run.ts';

test.after.always(closeBrowser);

const LAGS = ['0', '1', '2–3', '4–7', '8–15', '16–31', '32–49'];

/** Of layer 0, as the page has it in words. */
function normAt(step: number, lag: number): string {
  return formatNumber(madeUpGradients(step).layers[1].normByLag![lag].norm);
}

browserTest('keys move through steps and lags of a heatmap, and each cell is told', async (t) => {
  const { page, complaints } = await newPage(t);
  const server = await EventServer.start(t, madeUpRun(1000));
  await page.goto(server.url);
  const map = page.getByRole('slider', { name: 'Heatmap: layer 0' });
  const told = () => map.getAttribute('aria-valuetext');
  const readout = page.locator('#lags .readout').first();
  const mark = page.locator('#lags .mark').first();
  const cell = (step: number, lag: number) =>
    `step ${step.toLocaleString('en-US')}, ${LAGS[lag]} steps back: ${normAt(step, lag)}`;
  t.is(await told(), cell(1000, 0), 'before one is chosen: the latest');
  t.is(await readout.textContent(), '');
  await map.focus();
  for (const [key, step, lag] of [
    ['ArrowDown', 1000, 1],
    ['ArrowUp', 1000, 0],
    ['ArrowUp', 1000, 0],
    ['Home', 100, 0],
    ['ArrowLeft', 100, 0],
    ['ArrowRight', 200, 0],
    ['PageUp', 300, 0],
    ['PageDown', 200, 0],
    ['ArrowDown', 200, 1],
    ['End', 1000, 1],
    ['ArrowLeft', 900, 1],
  ] as const) {
    await page.keyboard.press(key);
    t.is(await told(), cell(step, lag), key);
    t.is(await readout.textContent(), cell(step, lag));
    t.is(await map.getAttribute('aria-valuenow'), String(step));
  }
  for (const lag of LAGS) if (lag !== '0') await page.keyboard.press('ArrowDown');
  t.is(await told(), cell(900, 6), 'the last lag is the end');

  server.send('points', [madeUpPoint(1100)]);
  server.send('gradients', madeUpGradients(1100));
  await page.locator('#lags .steps span:last-child', { hasText: '1,100' }).first().waitFor();
  t.is(await told(), cell(900, 6), 'it stays on its step');
  t.true(await mark.isVisible());
  await page.keyboard.press('Escape');
  t.is(await told(), cell(1100, 0));
  t.false(await mark.isVisible());
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Tab');
  t.is(await readout.textContent(), '');
  t.deepEqual(complaints, []);
});

browserTest('the table beside the heatmaps has every norm of every layer', async (t) => {
  const { page } = await newPage(t);
  const server = await EventServer.start(t, madeUpRun(300));
  await page.goto(server.url);
  await openTable(page, '#lags');
  t.deepEqual(await page.locator('#lags thead th').allInnerTexts(), [
    'step',
    'layer',
    ...LAGS.map((lag) => `lag ${lag}`),
  ]);
  const rows = await page.locator('#lags tbody tr').all();
  const cells = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
  const ofFirst = cells.filter(([, layer]) => layer === '0');
  t.deepEqual(
    ofFirst,
    [300, 200, 100].map((step) => [String(step), '0', ...LAGS.map((_, i) => normAt(step, i))]),
  );
  t.is(cells.length, 6);
});
