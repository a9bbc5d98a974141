import test from 'ava';
import { PHASES } from '../../src/metrics/catalogue.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { gradientsOf, RUN, STEP, seriesOf } from './scrape.ts';

test('before the first step counters are zero and gauges are absent', async (t) => {
  const series = await seriesOf(createMetrics({ run: 'r' }));
  t.is(series.get('threadloom_steps_total'), 0);
  t.is(series.get('threadloom_checkpoint_failures_total'), 0);
  t.is(series.get('threadloom_not_finite_steps_total'), 0);
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
  t.is(value('train_bits_per_token'), 2.5 / Math.LN2);
  t.is(value('train_perplexity'), Math.exp(2.5));
  t.is(value('clipped_gradient_norm'), 0.875);
  t.is(value('seconds_left'), 96);
  t.is(value('ring_filled_slots'), 2);
  t.is(value('read_bytes_total'), 70_000);
});

test('tasks are shown by how long they waited, and by how far the slowest was behind the median', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordStep(STEP);
  const two = [0.5, 0.25].map((seconds) => ({ waitSeconds: 0, seconds }));
  metrics.recordStep({ ...STEP, tasks: { compute: two } });
  const series = await seriesOf(metrics);
  const value = (name: string) => series.get(`threadloom_${name}`);
  t.is(value('queue_wait_seconds_count{phase="compute"}'), 5);
  t.is(value('queue_wait_seconds_sum{phase="compute"}'), 0.001953125);
  t.is(value('queue_wait_seconds_bucket{le="0.0005",phase="compute"}'), 4);
  t.is(value('queue_wait_seconds_count{phase="update"}'), 0);
  t.is(value('straggler_gap_seconds_count{phase="compute"}'), 2);
  t.is(value('straggler_gap_seconds_sum{phase="compute"}'), 0.125 + 0.125);
  t.is(value('straggler_gap_seconds_sum{phase="reduce"}'), 0);
  t.is(value('straggler_gap_seconds_count{phase="reduce"}'), 1);
});

test('operations are counted, and held against the peak where it was measured', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordRun(RUN);
  metrics.recordStep(STEP);
  const series = await seriesOf(metrics);
  t.is(series.get('threadloom_floating_point_operations_total'), 640 * 1024);
  t.is(series.get('threadloom_peak_flops'), 2 ** 26);
  t.is(series.get('threadloom_peak_ratio'), (20_480 * 1024) / 2 ** 26);
  const unmeasured = createMetrics({ run: 'r' });
  unmeasured.recordRun({ ...RUN, peakFlops: undefined });
  unmeasured.recordStep(STEP);
  const without = await seriesOf(unmeasured);
  t.is(without.get('threadloom_floating_point_operations_total'), 640 * 1024);
  t.false(without.has('threadloom_peak_flops') || without.has('threadloom_peak_ratio'));
});

test('a run trains until it has ended; a step that is not finite is counted', async (t) => {
  const metrics = createMetrics({ run: 'r', now: () => 1_700_000_000_500 });
  metrics.recordRun({ ...RUN, clipNorm: 0 });
  const before = await seriesOf(metrics);
  t.is(before.get('threadloom_training_active'), 1);
  t.is(before.get('threadloom_run_start_timestamp_seconds'), 1_700_000_000.5);
  t.is(before.get('threadloom_steps_planned'), 500);
  t.is(before.get('threadloom_workers_planned'), 3);
  t.is(before.get('threadloom_ring_slots'), 3);
  t.false(before.has('threadloom_clip_norm'));
  metrics.recordNotFinite();
  metrics.recordEnd();
  const after = await seriesOf(metrics);
  t.is(after.get('threadloom_training_active'), 0);
  t.is(after.get('threadloom_not_finite_steps_total'), 1);
  t.is(after.get('threadloom_run_failed'), 0);
});

test('a run has failed once that is said', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordRun(RUN);
  t.is((await seriesOf(metrics)).get('threadloom_run_failed'), 0);
  metrics.recordFailure();
  t.is((await seriesOf(metrics)).get('threadloom_run_failed'), 1);
});

test('each layer, lag and gate has its gradients', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordGradients(gradientsOf(2));
  const series = await seriesOf(metrics);
  const value = (name: string) => series.get(`threadloom_${name}`);
  t.is(value('gradients_step'), 40);
  t.is(value('layer_gradient_norm{layer="embedding"}'), 3);
  t.is(value('layer_gradient_norm{layer="1"}'), 11);
  t.is(value('update_ratio{layer="head"}'), 0.25);
  t.is(value('gradient_norm_by_lag{layer="1",lag="4"}'), 204);
  t.is(value('gate_saturation_ratio{layer="1",gate="z"}'), 2 / 3 / 64);
  t.false(series.has('threadloom_gradient_norm_by_lag{layer="head",lag="0"}'));
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
  t.is(series.get('threadloom_validation_bits_per_token'), 2.25 / Math.LN2);
  t.is(series.get('threadloom_validation_perplexity'), Math.exp(2.25));
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

test('checkpoints that fail are counted until one is written', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  const inARow = async () =>
    (await seriesOf(metrics)).get('threadloom_checkpoint_failures_in_a_row');
  metrics.recordRun(RUN);
  t.is(await inARow(), 0);
  metrics.recordCheckpointFailure();
  metrics.recordCheckpointFailure();
  t.is(await inARow(), 2);
  metrics.recordCheckpoint({ bytes: 4096, seconds: 0.25 });
  t.is(await inARow(), 0);
  metrics.recordCheckpointFailure();
  t.is(await inARow(), 1);
  t.is((await seriesOf(metrics)).get('threadloom_checkpoint_failures_total'), 3);
});

test('what a run is stands in one series, without a path', async (t) => {
  const metrics = createMetrics({ run: '/home/someone/runs/night "1"' });
  metrics.recordRun(RUN);
  metrics.recordRun({ ...RUN, variant: 'relaxed-simd' });
  const text = await metrics.render();
  t.false(text.includes('someone'));
  const info = text.split('\n').filter((line) => line.startsWith('threadloom_run_info{'));
  t.is(info.length, 1);
  t.regex(
    info[0],
    /\{cell="gru",hidden="24",layers="2",batch="16",chunk="40",lanes="8",optimizer="adam",backend="wasm",variant="relaxed-simd",/,
  );
  t.regex(info[0], /run="night \\"1\\""\} 1$/);
  t.regex(
    text,
    /^threadloom_build_info\{version="0.1.0",node="[\d.]+",platform="[a-z0-9]+-[a-z0-9]+",.*\} 1$/m,
  );
  t.regex(text, /^threadloom_arena_bytes\{region="parameters",.*\} 4096$/m);
  t.regex(text, /^threadloom_arena_bytes\{region="shard",.*\} 65536$/m);
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
  t.regex(asked, /^nodejs_heap_size_used_bytes\{run="r"\} [1-9]/m);
  t.regex(asked, /^threadloom_event_loop_lag_seconds\{percentile="50",run="r"\} 0$/m);
  t.notRegex(asked, /^nodejs_eventloop_lag/m, 'intervals, not lags');
  const plain = await createMetrics({ run: 'r' }).render();
  t.notRegex(plain, /^(process|nodejs)_/m);
  t.notRegex(plain, /^threadloom_event_loop/m);
});

test('health is the last step and its age', (t) => {
  let milliseconds = 5000;
  const metrics = createMetrics({ run: 'r', now: () => milliseconds });
  t.deepEqual(metrics.health(), { step: null, stepTime: null, secondsSinceStep: null });
  metrics.recordStep(STEP);
  milliseconds = 7250;
  t.deepEqual(metrics.health(), { step: 41, stepTime: 5, secondsSinceStep: 2.25 });
  milliseconds = 0;
  t.deepEqual(metrics.health(), { step: 41, stepTime: 5, secondsSinceStep: 0 });
});
