import test from 'ava';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { gradientsOf, RUN, STEP } from './scrape.ts';

/** Series of Threadloom itself, whatever the run; the largest text of a scrape then stays far below a MiB. */
const MOST_SERIES = 2200;
/** 0, 1, 2, 4 … 2³⁰: of the longest chunk that a whole number of 31 bits can hold. */
const ALL_LAGS = [0, ...Array.from({ length: 31 }, (_, power) => 2 ** power)];

test('the number of series is bounded, whatever the model and the machine', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordRun(RUN);
  metrics.recordStep({ ...STEP, phaseSeconds: { ...STEP.phaseSeconds, update: 1, commit: 1 } });
  const { layers } = gradientsOf(64);
  for (const step of [10, 20]) {
    metrics.recordGradients({
      step,
      layers: layers.map((layer) => ({
        ...layer,
        ...(layer.normByLag && {
          normByLag: ALL_LAGS.map((lag) => ({ lag, norm: 1 })),
          saturation: ['i', 'f', 'g', 'o'].map((gate) => ({ gate, share: 0.5 })),
        }),
      })),
    });
  }
  const busySeconds = Array.from({ length: 100 }, (_, worker) => worker);
  const pool = { workers: 100, restarts: 0, repeatedTasks: 0, actorRestarts: { loader: 0 } };
  metrics.recordPool({ ...pool, busySeconds });
  metrics.recordPool({ ...pool, busySeconds });
  const lines = (await metrics.render()).split('\n').filter((line) => /^threadloom_/.test(line));
  t.log(`${lines.length} series`);
  t.true(lines.length < MOST_SERIES);
  const workers = lines.filter((line) => line.startsWith('threadloom_worker_busy_seconds_total'));
  t.is(workers.length, 65);
  const others = (100 * 99) / 2 - (64 * 63) / 2;
  t.true(workers.some((line) => line.includes('worker="other"') && line.endsWith(` ${others}`)));
});

test('of many recurrent layers sixteen are shown, the first and the last among them', async (t) => {
  const shown = async (layers: number) => {
    const metrics = createMetrics({ run: 'r' });
    metrics.recordGradients(gradientsOf(layers));
    const text = await metrics.render();
    return [...text.matchAll(/^threadloom_layer_gradient_norm\{layer="(\w+)"/gm)]
      .map(([, layer]) => layer)
      .sort((a, b) => Number(a) - Number(b));
  };
  t.is((await shown(16)).length, 18);
  const recurrent = (await shown(64)).filter((layer) => /^\d+$/.test(layer));
  t.deepEqual(recurrent.map(Number), [0, 4, 8, 13, 17, 21, 25, 29, 34, 38, 42, 46, 50, 55, 59, 63]);
});
