import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import type { Point } from '../../../src/live/protocol.ts';
import { browserTest, closeBrowser, newPage, openTable } from './browser.ts';
import { rowsOfColour } from './checks.ts';
import { EventServer } from './event-server.ts';
import { madeUpPoint, madeUpRun } from './made-up-run.ts';

test.after.always(closeBrowser);

const STEPS = 100;

/** A page of a run whose points are as a test wants them. */
async function shownPoints(
  t: ExecutionContext,
  change: (point: Point) => Partial<Point>,
  clipNorm: number | null = 1,
): Promise<Page> {
  const points = Array.from({ length: STEPS }, (_, i) => {
    const point = madeUpPoint(i + 1);
    return { ...point, ...change(point) };
  });
  const run = { ...madeUpRun(0).run, clipNorm };
  const { page } = await newPage(t, { colorScheme: 'light' });
  const server = await EventServer.start(t, madeUpRun(STEPS, { run, points, evaluations: [] }));
  await page.goto(server.url);
  await page.waitForSelector('#loss canvas');
  return page;
}

/** Mean height of what a chart has drawn in a colour, at each of `places` (0 to 1) from its first step to its last. */
async function heights(page: Page, section: string, colour: string, places: readonly number[]) {
  const columns = await page.locator(`${section} canvas`).evaluate(rowsOfColour, colour);
  const [first, last] = [columns[0].x, columns[columns.length - 1].x];
  return places.map((place) => {
    const x = Math.round(first + place * (last - first));
    return columns.reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a)).y;
  });
}

/** Of the curve's way from its beginning to its end, how much it has gone in the middle. */
async function halfway(page: Page): Promise<number> {
  const [start, middle, end] = await heights(page, '#loss', '--c1', [0.02, 0.5, 0.98]);
  return (middle - start) / (end - start);
}

browserTest('the switch draws the loss on a logarithmic axis, and back', async (t) => {
  const page = await shownPoints(t, ({ step }) => {
    const loss = 8 * 0.5 ** (step / 10);
    return { loss, lowestLoss: loss, highestLoss: loss };
  });
  const log = page.locator('#loss').getByRole('checkbox', { name: 'log scale' });
  await page.getByRole('slider', { name: /smoothing/ }).press('Home');
  t.false(await log.isChecked());
  // A curve that halves every ten steps has nearly fallen in the middle; its logarithm is a straight line.
  t.true((await halfway(page)) > 0.9);
  await log.press('Space');
  t.true(Math.abs((await halfway(page)) - 0.5) < 0.03);
  await log.press('Space');
  t.true((await halfway(page)) > 0.9);
});

browserTest(
  'the smoothed loss is the mean over about as many steps as the slider says',
  async (t) => {
    const page = await shownPoints(t, () => ({}));
    await openTable(page, '#loss');
    const slider = page.getByRole('slider', { name: /smoothing/ });
    for (const [key, told, window] of [
      ['Home', 'off', 1],
      ['ArrowRight', '2 steps', 2],
      ['ArrowRight', '5 steps', 5],
      ['End', '1,000 steps', 1000],
    ] as const) {
      await slider.press(key);
      t.is(await slider.getAttribute('aria-valuetext'), told);
      const expected = meanOfLast(window).toFixed(4);
      t.is(await page.locator('#loss .legend b').nth(1).textContent(), expected);
      await page
        .locator('#loss tbody tr:first-child td:nth-child(5)', { hasText: expected })
        .waitFor();
    }
  },
);

/** Each step counts less than the one after it, by 1/window. */
function meanOfLast(window: number): number {
  let [sum, weights] = [0, 0];
  for (let back = 0; back < STEPS; back++) {
    const weight = (1 - 1 / window) ** back;
    sum += weight * (madeUpPoint(STEPS - back).loss as number);
    weights += weight;
  }
  return sum / weights;
}

browserTest('the clip line lies where the norm is as large, across all steps', async (t) => {
  // From 0.5 to 1.5: at the bound in the middle.
  const page = await shownPoints(t, ({ step }) => {
    const gradNorm = 0.5 + (step - 1) / (STEPS - 1);
    return { gradNorm, highestGradNorm: gradNorm };
  });
  await page.locator('#norm').getByRole('checkbox', { name: 'log scale' }).press('Space');
  const line = await heights(page, '#norm', '--c5', [0, 0.25, 0.5, 0.75, 1]);
  t.true(Math.max(...line) - Math.min(...line) <= 1, String(line));
  const norm = await heights(page, '#norm', '--c3', [0.02, 0.48, 0.52, 0.98]);
  // Upwards is to smaller rows.
  t.true(norm[0] > line[0] && norm[3] < line[0]);
  t.true(Math.abs((norm[1] + norm[2]) / 2 - line[0]) <= 2, `${norm} ${line}`);
});

browserTest('without a bound there is no clip line', async (t) => {
  const page = await shownPoints(t, () => ({}), null);
  t.deepEqual(await page.locator('#norm canvas').evaluate(rowsOfColour, '--c5'), []);
  t.is(await page.locator('#norm .legend .entry').count(), 2);
  t.regex((await page.locator('#norm .summary').textContent()) ?? '', /Clipping by norm is off\.$/);
});
