import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_PORT } from '../../src/metrics/listen.ts';
import { startCli, TINY } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { parseSeries } from '../metrics/scrape.ts';

/** A run that does not end by itself, and where its metrics are. */
async function training(t: ExecutionContext, ...args: string[]) {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const endless = [
    '--epochs',
    '1000000',
    '--eval-every',
    '20',
    '--clip-norm',
    '0.1',
    '--workers',
    '2',
  ];
  const running = startCli(
    t,
    ['train', 'text.txt', ...TINY, '--run', 'my-run', ...endless, ...args],
    { cwd },
  );
  const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  const scrape = async () => (await fetch(`${url}/metrics`)).text();
  const stop = async () => {
    running.child.kill('SIGINT');
    t.is((await running.finished).code, 130);
  };
  return { running, url, scrape, stop };
}

async function until(
  scrape: () => Promise<string>,
  holds: (series: Map<string, number>) => boolean,
) {
  for (;;) {
    const series = parseSeries(await scrape(), 'my-run');
    if (holds(series)) return series;
  }
}

const value = (series: Map<string, number>, name: string) => series.get(name) ?? Number.NaN;

test('metrics move while a run trains, and agree with each other', async (t) => {
  const { url, scrape, stop } = await training(t, '--metrics-port', '0');
  const steps = (series: Map<string, number>) => value(series, 'threadloom_steps_total');
  const first = await until(scrape, (series) => steps(series) >= 25);
  const second = await until(scrape, (series) => steps(series) > steps(first) + 20);
  for (const series of [first, second]) {
    t.is(value(series, 'threadloom_tokens_total'), 32 * steps(series));
    t.is(value(series, 'threadloom_step'), steps(series));
    t.true(value(series, 'threadloom_train_loss') > 0);
    t.true(value(series, 'threadloom_validation_loss') > 0);
    t.true(value(series, 'threadloom_gradient_norm') > 0);
    t.true(value(series, 'threadloom_tokens_per_second') > 0);
    t.is(value(series, 'threadloom_workers'), 2);
    t.is(value(series, 'threadloom_worker_restarts_total'), 0);
    t.is(value(series, 'threadloom_phase_seconds_count{phase="compute"}'), steps(series));
    t.true(value(series, 'threadloom_checkpoints_total') >= 1);
    t.true(value(series, 'threadloom_checkpoint_age_seconds') >= 0);
    t.true(value(series, 'threadloom_arena_bytes') > 100_000);
  }
  for (const name of [
    'threadloom_clipped_steps_total',
    'threadloom_worker_busy_seconds_total{worker="0"}',
    'threadloom_worker_busy_seconds_total{worker="1"}',
    'threadloom_phase_seconds_sum{phase="reduce"}',
  ]) {
    t.true(value(second, name) > value(first, name), name);
  }
  const health = await (await fetch(`${url}/healthz`)).json();
  t.is(health.status, 'ok');
  t.true(health.step >= steps(second));
  t.true(health.secondsSinceStep < 60);
  await stop();
});

test("promtool finds nothing wrong with the project's own metrics", async (t) => {
  if (spawnSync('promtool', ['--version']).error) {
    t.log('promtool is not installed: skipped');
    t.pass();
    return;
  }
  const { scrape, stop } = await training(t, '--metrics-port', '0');
  await until(scrape, (series) => value(series, 'threadloom_steps_total') >= 25);
  const text = await scrape();
  const own = text.split('\n').filter((line) => /^(# (HELP|TYPE) )?threadloom_/.test(line));
  const check = spawnSync('promtool', ['check', 'metrics'], { input: `${own.join('\n')}\n` });
  t.deepEqual([check.status, String(check.stderr), String(check.stdout)], [0, '', '']);
  t.true(own.length > 60);
  t.regex(text, /^process_cpu_seconds_total/m);
  await stop();
});

test('the default port in use is left for the next free one, which is said', async (t) => {
  const other = createServer().listen(DEFAULT_PORT, '127.0.0.1');
  // Whoever has the port already serves the test as well.
  await Promise.race([once(other, 'listening'), once(other, 'error')]).catch(() => {});
  t.teardown(() => other.close());
  const { running, url, scrape, stop } = await training(t);
  await running.shows(
    new RegExp(
      `^warning: The default metrics port ${DEFAULT_PORT} is in use; metrics are on port ${new URL(url).port}\\.$`,
      'm',
    ),
  );
  t.true(Number(new URL(url).port) > DEFAULT_PORT);
  t.regex(await scrape(), /^threadloom_run_info\{/m);
  await stop();
});
