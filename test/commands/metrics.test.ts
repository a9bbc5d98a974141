import { once } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_PORT } from '../../src/metrics/listen.ts';
import { startCli, TINY } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { checkWithPromtool } from '../metrics/promtool.ts';
import { parseSeries } from '../metrics/scrape.ts';

/** In the environment of every run here. */
const SECRET = 'token-that-nobody-may-see';

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
    { cwd, env: { LOOM_TOKEN: SECRET } },
  );
  const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  const scrape = async () => (await fetch(`${url}/metrics`)).text();
  const stop = async () => {
    running.child.kill('SIGINT');
    t.is((await running.finished).code, 130);
  };
  return { running, cwd, url, scrape, stop };
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
    t.true(value(series, 'threadloom_arena_bytes{region="shard"}') > 10_000);
    t.is(value(series, 'threadloom_queue_wait_seconds_count{phase="update"}'), 2 * steps(series));
    t.is(value(series, 'threadloom_straggler_gap_seconds_count{phase="update"}'), steps(series));
    t.is(value(series, 'threadloom_training_active'), 1);
    t.is(value(series, 'threadloom_run_failed'), 0);
    t.is(value(series, 'threadloom_ring_slots'), 17);
    t.true(value(series, 'threadloom_ring_filled_slots') >= 1);
    t.true(value(series, 'threadloom_ring_filled_slots') <= 17);
    t.true(value(series, 'threadloom_peak_flops') > 1e6);
    t.true(value(series, 'threadloom_peak_ratio') > 0);
    t.true(value(series, 'threadloom_peak_ratio') < 1);
    t.true(value(series, 'threadloom_seconds_left') > 0);
    t.true(value(series, 'threadloom_read_bytes_total') > 1000);
    t.true(value(series, 'threadloom_phase_seconds_count{phase="snapshot"}') >= 1);
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

test('a run that fails of a gradient is served until Ctrl-C, and says what it failed of', async (t) => {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const diverging = ['--optimizer', 'sgd', '--lr', '1000', '--clip-norm', '0', '--cell', 'rnn'];
  const served = ['--activation', 'relu', '--metrics-port', '0', '--metrics-linger', '600'];
  const args = ['train', 'text.txt', ...TINY, '--run', 'my-run', ...diverging, ...served];
  const running = startCli(t, args, { cwd });
  const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  await running.shows(
    /^warning: The run failed and is served for 600 s more: The gradient of step \d+ is not finite/m,
  );
  const series = parseSeries(await (await fetch(`${url}/metrics`)).text(), 'my-run');
  t.is(value(series, 'threadloom_not_finite_steps_total'), 1);
  t.is(value(series, 'threadloom_training_active'), 0);
  t.is(value(series, 'threadloom_run_failed'), 1);
  running.child.kill('SIGINT');
  const { code, lines } = await running.finished;
  t.is(code, 1);
  t.regex(String(lines.at(-1)), /The gradient of step \d+ is not finite/);
});

for (const [how, place] of [
  ['as they were given', (_: string, path: string) => path],
  ['absolute', join],
] as const) {
  test(`a run that failed is served without the names of its folders, ${how}`, async (t) => {
    const cwd = join(temporaryFolder(t), 'john smith');
    mkdirSync(join(cwd, 'private data'), { recursive: true });
    const text = writeText(join(cwd, 'private data'));
    const named = place(cwd, join('private data', basename(text)));
    const args = ['train', named, ...TINY, '--run', place(cwd, join('secret project', 'r'))];
    const served = ['--epochs', '1000000', '--metrics-port', '0', '--metrics-linger', '600'];
    const running = startCli(t, [...args, ...served], { cwd });
    const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
    await running.shows(/validation after 0 steps/);
    appendFileSync(text, 'more');
    await running.shows(/^warning: The run failed and is served for 600 s more: .*private data/m);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const events = await firstEvent(`${url}/events`);
    t.regex(events, /"kind":"failed".*Expected \\"text\.txt\\" to stay as it was/);
    for (const answer of [metrics, events]) {
      t.notRegex(answer, /john|smith|secret|project|private|data\/|threadloom-\w{6}/);
    }
    running.child.kill('SIGINT');
    t.is((await running.finished).code, 1);
  });
}

/** Of a stream of events the text up to the end of the first. */
async function firstEvent(url: string): Promise<string> {
  const [response] = (await once(get(url), 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) {
    text += part;
    if (/\ndata: .*\n\n/.test(text)) break;
  }
  return text;
}

test('no answer holds a path or the environment', async (t) => {
  const { cwd, url, scrape, stop } = await training(t, '--metrics-port', '0');
  await until(scrape, (series) => value(series, 'threadloom_steps_total') >= 25);
  const hidden = [cwd, basename(cwd), SECRET, homedir(), process.execPath, 'text.txt'];
  const asks: [string, RequestOptions, number][] = [
    ['/', {}, 200],
    ['/metrics', {}, 200],
    ['/healthz', {}, 200],
    [`/${encodeURIComponent(cwd)}`, {}, 404],
    ['/metrics', { method: 'POST' }, 405],
    ['/metrics', { headers: { host: 'evil.example.com' } }, 403],
  ];
  for (const [path, options, status] of asks) {
    const [response] = await once(request(url + path, options).end(), 'response');
    t.is(response.statusCode, status);
    const answer = JSON.stringify(response.rawHeaders) + (await readText(response));
    for (const text of hidden) t.false(answer.includes(text), `${path}: ${text}`);
  }
  await stop();
});

test('a host that is allowed to a run is answered by it, and by its resumption', async (t) => {
  const allowed = ['--metrics-port', '0', '--metrics-allowed-hosts', 'trainer'];
  const { url, stop, cwd } = await training(t, ...allowed);
  const statusAs = async (at: string, host: string) => {
    const [response] = await once(request(at, { headers: { host } }).end(), 'response');
    return response.resume().statusCode;
  };
  t.is(await statusAs(url, 'trainer:9464'), 200);
  t.is(await statusAs(url, 'other:9464'), 403);
  await stop();
  const resumed = startCli(t, ['resume', 'my-run', '--metrics-allowed-hosts', 'other,third'], {
    cwd,
  });
  const [, again] = await resumed.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  t.is(await statusAs(again, 'third'), 200);
  t.is(await statusAs(again, 'trainer'), 403);
  resumed.child.kill('SIGINT');
  t.is((await resumed.finished).code, 130);
});

test("promtool finds nothing wrong with the project's own metrics", async (t) => {
  const { scrape, stop } = await training(t, '--metrics-port', '0');
  await until(scrape, (series) => value(series, 'threadloom_steps_total') >= 25);
  const text = await scrape();
  const own = text.split('\n').filter((line) => /^(# (HELP|TYPE) )?threadloom_/.test(line));
  checkWithPromtool(t, `${own.join('\n')}\n`);
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

/** The last scrape of a run that is stopped, and whether the scrapes were as regular as one must be that is waited for. */
async function lastScrape(t: ExecutionContext) {
  const { running, scrape } = await training(t, '--metrics-port', '0');
  let series = new Map<string, number>();
  const times: number[] = [];
  try {
    for (;;) {
      series = parseSeries(await scrape(), 'my-run');
      times.push(performance.now());
      const hasBegun = value(series, 'threadloom_steps_total') >= 5;
      if (hasBegun && !running.child.killed) running.child.kill('SIGINT');
    }
  } catch {
    // The server is gone.
  }
  t.is((await running.finished).code, 130);
  const intervals = times.slice(1).map((time, i) => time - times[i]);
  return { series, isRegular: intervals.length > 1 && Math.max(...intervals.slice(-5)) < 1000 };
}

test('the last scrape of a run that is stopped shows one that does not train', async (t) => {
  let last = await lastScrape(t);
  // On a machine that has much other work they may not be; then nothing can be said.
  for (let tries = 1; tries < 5 && !last.isRegular; tries++) last = await lastScrape(t);
  if (!last.isRegular) return t.pass('no scrapes at regular intervals on this machine');
  t.is(value(last.series, 'threadloom_training_active'), 0);
});
