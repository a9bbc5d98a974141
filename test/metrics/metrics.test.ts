import test from 'ava';
import { PHASES } from '../../src/metrics/catalogue.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { STEP, seriesOf } from './scrape.ts';

test('before the first step counters are zero and gauges are absent', async (t) => {
  const series = await seriesOf(createMetrics({ run: 'r' }));
  t.is(series.get('threadloom_steps_total'), 0);
  t.is(series.get('threadloom_checkpoint_failures_total'), 0);
  for (const phase of PHASES) {
    t.is(series.get(`threadloom_phase_seconds_count{phase="${phase}"}`), 0);
  }
  const nonzero = [...series].filter(([, value]) => value !== 0);
  t.deepEqual(nonzero, []);
  for (const name of ['train_loss', 'validation_loss', 'learning_rate', 'checkpoint_age_seconds']) {
    t.false(series.has(`threadloom_${name}`));
  }
});

test('two steps are counted, and the second is shown', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordStep({ ...STEP, step: 40, stepTokens: 128, loss: 4, clipScale: 1 });
  metrics.recordStep(STEP);
  const series = await seriesOf(metrics);
  const value = (name: string) => series.get(`threadloom_${name}`);
  t.is(value('steps_total'), 2);
  t.is(value('tokens_total'), 768);
  t.is(value('step'), 41);
  t.is(value('epoch'), 3);
  t.is(value('train_loss'), 2.5);
  t.is(value('gradient_norm'), 1.75);
  t.is(value('clipped_steps_total'), 1);
  t.is(value('learning_rate'), 0.125);
  t.is(value('tokens_per_second'), 20_480);
  t.is(value('phase_seconds_count{phase="compute"}'), 2);
  t.is(value('phase_seconds_sum{phase="compute"}'), 1);
  t.is(value('phase_seconds_bucket{le="0.25",phase="compute"}'), 0);
  t.is(value('phase_seconds_bucket{le="0.5",phase="compute"}'), 2);
  t.is(value('phase_seconds_bucket{le="0.0001",phase="clip"}'), 2);
  t.is(value('phase_seconds_count{phase="update"}'), 0);
});

test('a loss that is not a number is shown as such', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordStep({ ...STEP, loss: Number.NaN, gradNorm: Number.POSITIVE_INFINITY });
  const text = await metrics.render();
  t.regex(text, /^threadloom_train_loss\{run="r"\} nan$/im);
  t.regex(text, /^threadloom_gradient_norm\{run="r"\} \+Inf$/m);
});

test('an evaluation sets both losses and its time', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordEvaluation({ step: 7, loss: 2.25, bestLoss: 2, seconds: 8 });
  const series = await seriesOf(metrics);
  t.is(series.get('threadloom_validation_loss'), 2.25);
  t.is(series.get('threadloom_best_validation_loss'), 2);
  t.is(series.get('threadloom_phase_seconds_sum{phase="evaluate"}'), 8);
});

test("the pool's totals are taken over, not added up", async (t) => {
  const metrics = createMetrics({ run: 'r' });
  const actorRestarts = { loader: 0, writer: 2 };
  metrics.recordPool({
    workers: 3,
    restarts: 0,
    repeatedTasks: 0,
    actorRestarts,
    busySeconds: [1, 2, 4],
  });
  metrics.recordPool({
    workers: 2,
    restarts: 1,
    repeatedTasks: 5,
    actorRestarts,
    busySeconds: [1.5, 2.5, 4],
  });
  const series = await seriesOf(metrics);
  t.is(series.get('threadloom_workers'), 2);
  t.is(series.get('threadloom_worker_restarts_total'), 1);
  t.is(series.get('threadloom_repeated_tasks_total'), 5);
  t.is(series.get('threadloom_actor_restarts_total{actor="loader"}'), 0);
  t.is(series.get('threadloom_actor_restarts_total{actor="writer"}'), 2);
  t.is(series.get('threadloom_worker_busy_seconds_total{worker="0"}'), 1.5);
  t.is(series.get('threadloom_worker_busy_seconds_total{worker="1"}'), 2.5);
  t.is(series.get('threadloom_worker_busy_seconds_total{worker="2"}'), 4);
});

test('a checkpoint has a size, a duration, a time and an age that grows until the next one', async (t) => {
  let milliseconds = 1_700_000_000_000;
  const metrics = createMetrics({ run: 'r', now: () => milliseconds });
  metrics.recordCheckpoint({ bytes: 4096, seconds: 0.25 });
  metrics.recordCheckpointFailure();
  metrics.recordCheckpointSkipped();
  metrics.recordCheckpointSkipped();
  milliseconds += 1500;
  const series = await seriesOf(metrics);
  t.is(series.get('threadloom_checkpoints_total'), 1);
  t.is(series.get('threadloom_checkpoint_bytes'), 4096);
  t.is(series.get('threadloom_checkpoint_duration_seconds'), 0.25);
  t.is(series.get('threadloom_last_checkpoint_timestamp_seconds'), 1_700_000_000);
  t.is(series.get('threadloom_checkpoint_age_seconds'), 1.5);
  t.is(series.get('threadloom_checkpoint_failures_total'), 1);
  t.is(series.get('threadloom_checkpoint_skipped_total'), 2);
  metrics.recordCheckpoint({ bytes: 4096, seconds: 0.25 });
  t.is((await seriesOf(metrics)).get('threadloom_checkpoint_age_seconds'), 0);
});

test('what a run is stands in one series, without a path', async (t) => {
  const metrics = createMetrics({ run: '/home/someone/runs/night "1"' });
  const run = { cell: 'lstm', backend: 'wasm', variant: 'simd', version: '0.1.0' };
  metrics.recordRun({ ...run, arenaBytes: 1024 });
  metrics.recordRun({ ...run, variant: 'relaxed-simd', arenaBytes: 2048 });
  const text = await metrics.render();
  t.false(text.includes('someone'));
  const info = text.split('\n').filter((line) => line.startsWith('threadloom_run_info{'));
  t.is(info.length, 1);
  t.regex(info[0], /cell="lstm",backend="wasm",variant="relaxed-simd",version="0.1.0"/);
  t.regex(info[0], /run="night \\"1\\""\} 1$/);
  t.regex(text, /^threadloom_arena_bytes\{.*\} 2048$/m);
});

test('two runs in one process do not mix', async (t) => {
  const one = createMetrics({ run: 'one', processMetrics: true });
  const two = createMetrics({ run: 'two', processMetrics: true });
  one.recordStep(STEP);
  t.is((await seriesOf(one, 'one')).get('threadloom_steps_total'), 1);
  t.is((await seriesOf(two, 'two')).get('threadloom_steps_total'), 0);
  t.false((await seriesOf(two, 'two')).has('threadloom_train_loss'));
});

test('process metrics are there where they are asked for', async (t) => {
  const asked = await createMetrics({ run: 'r', processMetrics: true }).render();
  t.regex(asked, /^process_resident_memory_bytes\{run="r"\} [1-9]/m);
  t.regex(asked, /^nodejs_eventloop_lag_mean_seconds\{run="r"\} /m);
  const plain = await createMetrics({ run: 'r' }).render();
  t.notRegex(plain, /^(process|nodejs)_/m);
});

test('health is the last step and its age', (t) => {
  let milliseconds = 5000;
  const metrics = createMetrics({ run: 'r', now: () => milliseconds });
  t.deepEqual(metrics.health(), { step: null, secondsSinceStep: null });
  metrics.recordStep(STEP);
  milliseconds = 7250;
  t.deepEqual(metrics.health(), { step: 41, secondsSinceStep: 2.25 });
  milliseconds = 0;
  t.deepEqual(metrics.health(), { step: 41, secondsSinceStep: 0 });
});
