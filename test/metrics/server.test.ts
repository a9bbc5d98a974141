import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { hostname } from 'node:os';
import { text as readText } from 'node:stream/consumers';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { InputError } from '../../src/errors.ts';
import { DEFAULT_PORT, refusal } from '../../src/metrics/listen.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { type MetricsSource, startMetricsServer } from '../../src/metrics/server.ts';
import { parseSeries, STEP } from './scrape.ts';

const host = '127.0.0.1';

async function serve(t: ExecutionContext, source: MetricsSource = createMetrics({ run: 'r' })) {
  const server = await startMetricsServer({ host, port: 0, source });
  t.teardown(() => server.close());
  return server;
}

/** A server of someone else on `port`. */
async function occupy(t: ExecutionContext, port: number): Promise<number> {
  const other = createServer().listen(port, host);
  await once(other, 'listening');
  t.teardown(() => other.close());
  return (other.address() as AddressInfo).port;
}

test('a scrape over HTTP shows the recorded step', async (t) => {
  const metrics = createMetrics({ run: 'r' });
  metrics.recordStep(STEP);
  const { url } = await serve(t, metrics);
  const response = await fetch(`${url}/metrics?name[]=x`);
  t.is(response.status, 200);
  t.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const series = parseSeries(await response.text());
  t.is(series.get('threadloom_train_loss'), 2.5);
  t.is(series.get('threadloom_steps_total'), 1);
});

test('two servers show two runs', async (t) => {
  const [one, two] = [createMetrics({ run: 'one' }), createMetrics({ run: 'two' })];
  one.recordStep(STEP);
  two.recordStep({ ...STEP, loss: 3.5 });
  const servers = [await serve(t, one), await serve(t, two)];
  const texts = await Promise.all(
    servers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
  );
  t.is(parseSeries(texts[0], 'one').get('threadloom_train_loss'), 2.5);
  t.is(parseSeries(texts[1], 'two').get('threadloom_train_loss'), 3.5);
});

test('/healthz says how far the run is', async (t) => {
  const metrics = createMetrics({ run: 'r', now: () => 1000 });
  const { url } = await serve(t, metrics);
  const before = await fetch(`${url}/healthz`);
  t.is(before.status, 200);
  t.is(before.headers.get('content-type'), 'application/json');
  t.deepEqual(await before.json(), {
    status: 'ok',
    ...{ step: null, stepTime: null, secondsSinceStep: null },
  });
  metrics.recordStep(STEP);
  const after = await fetch(`${url}/healthz`);
  t.deepEqual(await after.json(), {
    status: 'ok',
    ...{ step: 41, stepTime: 1, secondsSinceStep: 0 },
  });
});

test('HEAD answers the headers of GET without a body', async (t) => {
  const { url } = await serve(t);
  const length = (await (await fetch(`${url}/healthz`)).text()).length;
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  t.is(head.status, 200);
  t.is(head.headers.get('content-length'), String(length));
  t.is(await head.text(), '');
});

for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
  test(`${method} is refused with what is allowed`, async (t) => {
    const { url } = await serve(t);
    const response = await fetch(`${url}/metrics`, { method });
    t.is(response.status, 405);
    t.is(response.headers.get('allow'), 'GET, HEAD');
    t.is(response.headers.get('connection'), 'close');
  });
}

for (const path of ['/nowhere', '/metrics/', '/..%2f..%2fetc/passwd', '//metrics']) {
  test(`${path} is not found`, async (t) => {
    const { url } = await serve(t);
    const response = await fetch(url + path);
    t.is(response.status, 404);
    t.is(await response.text(), 'Not found. There are /metrics, /healthz.\n');
  });
}

/** A GET with a Host of one's own; `undefined` sends none, as HTTP/1.0 allows. */
async function askAs(port: number, name: string | undefined, path = '/metrics') {
  const line = name === undefined ? '' : `Host: ${name}\r\n`;
  const socket = connect(port, host);
  socket.write(
    `GET ${path} HTTP/1.${name === undefined ? 0 : 1}\r\n${line}Connection: close\r\n\r\n`,
  );
  const [head, body] = (await readText(socket)).split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body };
}

test('a page that made its name point here reads nothing, whatever it asks for', async (t) => {
  const { port } = await serve(t);
  for (const path of ['/', '/metrics', '/healthz', '/nowhere']) {
    t.deepEqual(await askAs(port, `evil.example.com:${port}`, path), {
      status: 403,
      body: 'This name of the host is not answered. Give it to the run with --metrics-allowed-hosts.\n',
    });
  }
  t.is((await askAs(port, undefined)).status, 403);
  t.is((await askAs(port, `localhost:${port}`)).status, 200);
  t.is((await askAs(port, '10.0.0.5')).status, 403);
});

test('names that are allowed are answered, on any address', async (t) => {
  const source = createMetrics({ run: 'r' });
  const everywhere = {
    host: '0.0.0.0',
    port: 0,
    allowedHosts: ['trainer', 'm.example.com'],
    source,
  };
  const { port, close } = await startMetricsServer(everywhere);
  t.teardown(close);
  for (const name of ['trainer:80', 'm.example.com', '10.0.0.5', hostname()]) {
    t.is((await askAs(port, name)).status, 200, name);
  }
  t.is((await askAs(port, 'example.com')).status, 403);
});

test('headers above 8 KiB are refused', async (t) => {
  const { url } = await serve(t);
  const response = await fetch(`${url}/metrics`, { headers: { long: 'x'.repeat(9000) } });
  t.is(response.status, 431);
});

test('a failure to render is an answer without its details, and the next scrape works', async (t) => {
  let broken = true;
  const { url } = await serve(t, {
    contentType: 'text/plain',
    render: async () => {
      if (broken) throw new Error('/secret/path');
      return 'fine\n';
    },
    health: () => ({}),
  });
  const failed = await fetch(`${url}/metrics`);
  t.is(failed.status, 500);
  t.is(await failed.text(), 'The metrics could not be rendered.\n');
  broken = false;
  t.is(await (await fetch(`${url}/metrics`)).text(), 'fine\n');
});

test('an explicit port in use is refused', async (t) => {
  const port = await occupy(t, 0);
  const source = createMetrics({ run: 'r' });
  const error = await t.throwsAsync(startMetricsServer({ host, port, source }), {
    instanceOf: InputError,
  });
  t.is(
    error?.message,
    `Expected --metrics-port to be free, got ${port} (in use). ` +
      'Use another port, --metrics-port 0 for any free one, or --no-metrics.',
  );
});

test.serial('the default port in use is left for the next free one, which is said', async (t) => {
  // Whoever has the port already serves the test as well.
  await occupy(t, DEFAULT_PORT).catch(() => {});
  const server = await startMetricsServer({ host, source: createMetrics({ run: 'r' }) });
  t.teardown(() => server.close());
  t.is(server.movedFrom, DEFAULT_PORT);
  t.true(server.port > DEFAULT_PORT && server.port < DEFAULT_PORT + 100);
  t.is((await fetch(`${server.url}/healthz`)).status, 200);
});

test('a host that is not of this machine is refused', async (t) => {
  // 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
  const unknown = { host: '192.0.2.1', port: 0, source: createMetrics({ run: 'r' }) };
  const error = await t.throwsAsync(startMetricsServer(unknown), { instanceOf: InputError });
  t.regex(
    error?.message ?? '',
    /^Expected --metrics-host to be .* got "192.0.2.1" \(EADDRNOTAVAIL\)/,
  );
});

test('each refusal of the system has its one line', (t) => {
  const message = (code: string) => {
    const cause = Object.assign(new Error(code), { code });
    const error = refusal(cause, 'nowhere', 80);
    t.is((error as Error).cause, error === cause ? undefined : cause);
    return (error as Error).message;
  };
  t.regex(message('EACCES'), /^Expected --metrics-port to be one this user may open, got 80 /);
  t.regex(message('EADDRINUSE'), /^Expected --metrics-port to be free, got 80 \(in use\)\. /);
  t.regex(message('ENOTFOUND'), /^Expected --metrics-host to be .* got "nowhere" \(ENOTFOUND\)/);
  t.is(message('EMFILE'), 'EMFILE');
});

test('close ends idle and silent connections and frees the port', async (t) => {
  const server = await serve(t);
  const silent = connect(server.port, host);
  await once(silent, 'connect');
  const idle = connect(server.port, host);
  idle.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(idle, 'data');
  const ended = Promise.all([once(silent.resume(), 'close'), once(idle.resume(), 'close')]);
  await server.close();
  await server.close();
  await ended;
  await t.throwsAsync(once(request(server.url).end(), 'response'), { code: 'ECONNREFUSED' });
  t.is(await occupy(t, server.port), server.port);
});

test('a server that nobody closes does not keep the process alive', async (t) => {
  const server = new URL('../../src/metrics/server.js', import.meta.url).href;
  const metrics = new URL('../../src/metrics/metrics.js', import.meta.url).href;
  const script = `
    import { startMetricsServer } from '${server}';
    import { createMetrics } from '${metrics}';
    const source = createMetrics({ run: 'r', processMetrics: true });
    const { url } = await startMetricsServer({ host: '${host}', port: 0, source });
    console.log((await fetch(url + '/healthz')).status);`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  t.deepEqual(await run, { stdout: '200\n', stderr: '' });
});
