import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { LiveRun } from '../../src/live/live-run.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { endAllThreads } from '../../src/pool/threads.ts';
import { ServerThread } from '../../src/recipes/server-thread.ts';
import { DESCRIPTION, stepRecord } from '../live/sample-points.ts';
import { parseSeries, STEP } from '../metrics/scrape.ts';

const host = '127.0.0.1';

const from = (path: string) => `'${new URL(`../../src/${path}.js`, import.meta.url).href}'`;
/** A program that serves a run, and prints the status of its health. */
const SERVING = `
  import { LiveRun } from ${from('live/live-run')};
  import { createMetrics } from ${from('metrics/metrics')};
  import { ServerThread } from ${from('recipes/server-thread')};
  const metrics = createMetrics({ run: 'r', processMetrics: true });
  const live = new LiveRun(${JSON.stringify(DESCRIPTION)});
  const place = { host: '${host}', port: 0 };
  const { address } = await ServerThread.start({ place, metrics, live, limitSeconds: 300 });
  console.log((await fetch(address.url + '/healthz')).status);`;

/** The command line of a program. */
const nodeOf = (script: string) => [process.execPath, '--input-type=module', '-e', script];

/** What is served of a run, and what is said of its thread. */
async function serve(t: ExecutionContext) {
  const metrics = createMetrics({ run: 'r' });
  const live = new LiveRun(DESCRIPTION, Date.now, () => 0);
  const warnings: string[] = [];
  let warned: (message: string) => void = () => {};
  const warning = new Promise<string>((resolve) => {
    warned = resolve;
  });
  const onWarning = (message: string) => {
    warnings.push(message);
    warned(message);
  };
  const server = await ServerThread.start({
    ...{ place: { host, port: 0 }, metrics, live, limitSeconds: 300, onWarning },
  });
  // As a run does: the thread that serves it keeps no process alive.
  const training = setInterval(() => {}, 1000);
  t.teardown(() => {
    clearInterval(training);
    return server.close();
  });
  return { metrics, live, server, url: server.address.url, warning, warnings };
}

const isRefused = (t: ExecutionContext, url: string) =>
  t.throwsAsync(fetch(url), { message: 'fetch failed' });

/** All that a listener is sent until the name of an event. */
async function heardUntil(response: Response, name: string): Promise<string> {
  let text = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (new RegExp(`^event: ${name}\\ndata: .*\\n\\n`, 'm').test(text)) return text;
  }
  throw new Error(`The stream ended before ${name}: ${text}`);
}

test('metrics, health, page and events of a run are those of its own thread', async (t) => {
  const { metrics, live, url } = await serve(t);
  metrics.recordStep(STEP);
  const scrape = await fetch(`${url}/metrics`);
  t.is(scrape.headers.get('content-type'), metrics.contentType);
  t.is(parseSeries(await scrape.text()).get('threadloom_train_loss'), 2.5);
  t.like(await (await fetch(`${url}/healthz`)).json(), { status: 'ok', step: 41 });
  t.regex(await (await fetch(url)).text(), /^<!doctype html>/i);
  live.begin(DESCRIPTION);
  live.recordStep(stepRecord(1));
  const events = await fetch(`${url}/events`);
  const heard = heardUntil(events, 'sample');
  live.recordSample({ step: 1, text: 'told' });
  t.regex(await heard, /"text":"told"/);
});

test('its thread gives way to those that train', async (t) => {
  if (process.platform !== 'linux') return t.pass('Linux alone has a niceness for each thread');
  await serve(t);
  const niceness = (task: string) =>
    Number(readFileSync(`/proc/self/task/${task}/stat`, 'utf8').split(') ')[1].split(' ')[16]);
  const values = readdirSync('/proc/self/task').map(niceness);
  t.true(values.includes(13), values.join());
  t.is(niceness(String(process.pid)), 0);
});

test('its thread stays as nice as its process', async (t) => {
  if (process.platform !== 'linux') return t.pass('Linux alone has a niceness for each thread');
  const script = `${SERVING}
    const { readdirSync, readFileSync } = await import('node:fs');
    for (const task of readdirSync('/proc/self/task')) {
      console.log(readFileSync('/proc/self/task/' + task + '/stat', 'utf8').split(') ')[1].split(' ')[16]);
    }`;
  const { stdout } = await promisify(execFile)('nice', ['-n', '15', ...nodeOf(script)]);
  const [status, ...values] = stdout.trim().split('\n').map(Number);
  t.is(status, 200);
  t.true(values.length > 1 && Math.min(...values) >= 15, stdout);
});

test('it serves where the system refuses it another priority', async (t) => {
  const refusing = `data:text/javascript,
    import os from 'node:os';
    import { syncBuiltinESMExports } from 'node:module';
    os.setPriority = () => { throw new Error('refused'); };
    syncBuiltinESMExports();`;
  const script = `
    import { syncBuiltinESMExports } from 'node:module';
    import workerThreads from 'node:worker_threads';
    workerThreads.Worker = class extends workerThreads.Worker {
      constructor(file, options) {
        super(file, { ...options, execArgv: ['--import', ${JSON.stringify(refusing)}] });
      }
    };
    syncBuiltinESMExports();
    ${SERVING}`;
  const [node, ...args] = nodeOf(script);
  t.deepEqual(await promisify(execFile)(node, args), { stdout: '200\n', stderr: '' });
});

test.serial('another thread takes the place of one that died, on the same port', async (t) => {
  const { metrics, live, server, url, warning, warnings } = await serve(t);
  live.begin(DESCRIPTION);
  const events = await fetch(`${url}/events`);
  const heard = await heardUntil(events, 'snapshot').catch(String);
  const [, lastId] = /^id: (\S+)$/m.exec(heard)!;
  endAllThreads();
  live.recordSample({ step: 1, text: 'told to nobody' });
  t.is(
    await warning,
    'The server thread ended unexpectedly with exit code 1. Another one serves the metrics and the live page.',
  );
  t.is(server.restarts, 1);
  metrics.recordStep(STEP);
  const series = parseSeries(await (await fetch(`${url}/metrics`)).text());
  t.is(series.get('threadloom_train_loss'), 2.5);
  const again = await fetch(`${url}/events`, { headers: { 'Last-Event-ID': lastId } });
  t.regex(await heardUntil(again, 'snapshot'), /told to nobody/);
  t.is(warnings.length, 1);
});

test.serial(
  'a run goes on where its port was taken before another thread could serve',
  async (t) => {
    const { server, url, warning } = await serve(t);
    endAllThreads();
    const other = createServer();
    t.teardown(() => other.close());
    // The port is free once the thread has ended.
    for (let isTaken = false; !isTaken; ) {
      other.listen(server.address.port, host);
      isTaken = await once(other, 'listening').then(
        () => true,
        () => false,
      );
    }
    t.regex(
      await warning,
      /^The server thread ended .* The metrics and the live page are not served any more: Expected --metrics-port to be free, got \d+ \(in use\)/,
    );
    t.is(server.restarts, 0);
    t.is(await server.secondsToScrape(), 0);
    await server.untilScraped();
    await server.close();
    other.close();
    await isRefused(t, url);
  },
);

test('the wait for a scrape ends with it, or by its signal', async (t) => {
  const { server, url } = await serve(t);
  const scrape = async () => (await fetch(`${url}/metrics`)).text();
  t.is(await server.secondsToScrape(), 0);
  for (let i = 0; i < 3; i++) await scrape();
  t.true((await server.secondsToScrape()) > 0);
  await server.untilScraped(AbortSignal.abort());
  const waiting = server.untilScraped();
  await scrape();
  await waiting;
});

test('closeAfter serves until its signal is aborted', async (t) => {
  const { server, url } = await serve(t);
  const controller = new AbortController();
  const closed = server.closeAfter(3600, controller.signal);
  t.is((await fetch(`${url}/metrics`)).status, 200);
  controller.abort();
  await closed;
  await isRefused(t, url);
});

test('closeAfter ends by itself, and at once for 0 or a signal aborted before', async (t) => {
  for (const [seconds, signal] of [
    [0.001, undefined],
    [0, undefined],
    [3600, AbortSignal.abort()],
  ] as const) {
    const { server, url } = await serve(t);
    await server.closeAfter(seconds, signal);
    await isRefused(t, url);
  }
});

test('a server that nobody closes does not keep the process alive', async (t) => {
  const [node, ...args] = nodeOf(SERVING);
  t.deepEqual(await promisify(execFile)(node, args), { stdout: '200\n', stderr: '' });
});
