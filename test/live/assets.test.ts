import { once } from 'node:events';
import { get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { LiveRun } from '../../src/live/live-run.ts';
import { livePages } from '../../src/live/pages.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startMetricsServer } from '../../src/metrics/server.ts';
import { DESCRIPTION } from './sample-points.ts';

const PATHS = ['/', '/page.js', '/page.css'];

async function serve(t: ExecutionContext): Promise<string> {
  const pages = livePages(new LiveRun(DESCRIPTION));
  const source = createMetrics({ run: 'r' });
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, source, pages });
  t.teardown(() => server.close());
  return server.url;
}

async function fetchRaw(url: string, headers: OutgoingHttpHeaders = {}) {
  const [response] = (await once(get(url, { headers }), 'response')) as [IncomingMessage];
  const body = Buffer.concat(await response.toArray());
  return { status: response.statusCode, headers: response.headers, body };
}

test('each file of the page is sent once, and not again while it is the same', async (t) => {
  const url = await serve(t);
  for (const path of PATHS) {
    const first = await fetchRaw(url + path);
    t.is(first.status, 200, path);
    t.is(first.headers['cache-control'], 'no-cache');
    t.regex(String(first.headers.etag), /^"[\w-]+"$/);
    const again = await fetchRaw(url + path, { 'If-None-Match': first.headers.etag });
    t.is(again.status, 304);
    t.is(again.body.length, 0);
    const other = await fetchRaw(url + path, { 'If-None-Match': '"another"' });
    t.deepEqual(other.body, first.body);
  }
});

test('gzip is sent to who takes it, under a tag of its own', async (t) => {
  const url = await serve(t);
  for (const path of PATHS) {
    const plain = await fetchRaw(url + path);
    const zipped = await fetchRaw(url + path, { 'Accept-Encoding': 'br, gzip;q=0.5' });
    const refused = await fetchRaw(url + path, { 'Accept-Encoding': 'gzip;q=0' });
    t.is(zipped.headers['content-encoding'], 'gzip');
    t.is(zipped.headers.vary, 'Accept-Encoding');
    t.not(zipped.headers.etag, plain.headers.etag);
    t.deepEqual(gunzipSync(zipped.body), plain.body);
    t.is(refused.headers['content-encoding'], undefined);
    t.deepEqual(refused.body, plain.body);
  }
});

test('the page may load and send nothing but to its own origin, and be framed by nobody', async (t) => {
  const { headers } = await fetchRaw(await serve(t));
  const policy = String(headers['content-security-policy']);
  t.true(policy.startsWith("default-src 'none'; "));
  for (const rule of ["script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
    t.true(policy.split('; ').includes(rule), rule);
  }
  t.notRegex(policy, /unsafe|\*|https?:/);
  t.is(headers['x-content-type-options'], 'nosniff');
  t.is(headers['referrer-policy'], 'no-referrer');
});
