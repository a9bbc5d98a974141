import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { EventLoopLag } from '../../src/metrics/event-loop.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { seriesOf } from './scrape.ts';

/** Fires it so many milliseconds after each other, and by its own timer never. */
function fired(...milliseconds: number[]): EventLoopLag {
  let now = 5000;
  const lag = new EventLoopLag(() => now);
  lag.stop();
  for (const passed of milliseconds) {
    now += passed;
    lag.fire();
  }
  return lag;
}

const secondsOf = (lag: EventLoopLag) => lag.read().map(({ seconds }) => seconds);

test('a lag is what a firing came later than its interval, never less than nothing', (t) => {
  t.deepEqual(fired(249, 500, 210, 252).read(), [
    { percentile: 50, seconds: 0 },
    { percentile: 99, seconds: 0.25 },
  ]);
  t.deepEqual(secondsOf(fired(252, 253, 254)), [0.003, 0.004]);
});

test('each reading tells what came since the one before, and the same again where nothing came', (t) => {
  const lag = fired(500);
  t.deepEqual(secondsOf(lag), [0.25, 0.25]);
  t.deepEqual(secondsOf(lag), [0.25, 0.25]);
  lag.fire();
  t.deepEqual(secondsOf(lag), [0, 0]);
});

test('before the first firing the loop was not late', (t) => {
  t.deepEqual(secondsOf(fired()), [0, 0]);
});

test('where nobody reads, the last minute is kept', (t) => {
  t.deepEqual(secondsOf(fired(1050, ...Array(239).fill(250))), [0, 0]);
  const lag = fired(...Array(160).fill(1050), ...Array(160).fill(250));
  t.deepEqual(secondsOf(lag), [0, 0.8], '80 of 240 are late');
});

test('an idle loop is seen to be in time, and one that was blocked to have been', async (t) => {
  const metrics = createMetrics({ run: 'r', processMetrics: true });
  t.teardown(() => metrics.close());
  await until(async () => {
    const [median, late] = await lagsOf(metrics);
    // Exactly 0 also before the first firing.
    return median > 0 && median < 0.02 && late < 0.1;
  });
  const end = performance.now() + 750;
  while (performance.now() < end);
  await until(async () => (await lagsOf(metrics))[1] >= 0.45);
  t.pass();
});

/** Asks after each firing or so, which on a busy machine may be late; the test's time bounds it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(250);
}

async function lagsOf(metrics: Metrics): Promise<number[]> {
  const series = await seriesOf(metrics);
  return [50, 99].map(
    (percentile) => series.get(`threadloom_event_loop_lag_seconds{percentile="${percentile}"}`)!,
  );
}
