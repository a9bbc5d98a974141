import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { EventStreams } from '../../src/live/event-streams.ts';
import { LiveRun } from '../../src/live/live-run.ts';
import { livePages } from '../../src/live/pages.ts';
import type { LiveEvents, Snapshot } from '../../src/live/protocol.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startMetricsServer } from '../../src/metrics/server.ts';
import { DESCRIPTION, stepRecord } from './sample-points.ts';

async function serve(t: ExecutionContext, limits?: ConstructorParameters<typeof EventStreams>[1]) {
  // Memory that stays the same: a change of it would be an event.
  const run = new LiveRun(DESCRIPTION, Date.now, () => 0);
  const source = createMetrics({ run: 'r' });
  const pages = livePages(run, undefined, limits && new EventStreams(run, limits));
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, source, pages });
  t.teardown(() => server.close());
  return { run, server, url: server.url };
}

interface Received {
  id: string;
  name: keyof LiveEvents;
  data: unknown;
}

/** A client of the events; `next` resolves with the next one of the name, passing over others, which stay in `all`. */
async function listenTo(t: ExecutionContext, url: string, lastEventId?: string, query = '') {
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const request = get(`${url}/events${query}`, { headers });
  t.teardown(() => request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.is(response.statusCode, 200);
  t.is(response.headers['content-type'], 'text/event-stream');
  const all: Received[] = [];
  const blocks = blocksOf(response);
  const next = async (name: keyof LiveEvents): Promise<Received> => {
    for (;;) {
      const { value, done } = await blocks.next();
      if (done) throw new Error(`The stream ended before ${name}.`);
      const fields = new Map(
        value.split('\n').map((line): [string, string] => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon), line.slice(colon + 2)];
        }),
      );
      if (!fields.has('event')) continue;
      const event = {
        id: fields.get('id')!,
        name: fields.get('event') as keyof LiveEvents,
        data: JSON.parse(fields.get('data')!),
      };
      all.push(event);
      if (event.name === name) return event;
    }
  };
  return { request, response, all, next };
}

async function* blocksOf(response: IncomingMessage): AsyncGenerator<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) {
    text += part;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    yield* blocks;
  }
}

/** Steps of all points in events. */
const stepsOf = (events: readonly Received[]) =>
  events.flatMap(({ name, data }) =>
    name === 'points' ? (data as LiveEvents['points']).map(({ steps }) => steps) : [],
  );

test('a listener is sent what has been, then what happens', async (t) => {
  const { run, url } = await serve(t);
  run.begin(DESCRIPTION);
  for (let step = 1; step <= 5; step++) run.recordStep(stepRecord(step, { loss: step }));
  const { next } = await listenTo(t, url);
  const snapshot = (await next('snapshot')).data as Snapshot;
  t.deepEqual(
    snapshot.points.map(({ step, loss }) => [step, loss]),
    [1, 2, 3, 4, 5].map((step) => [step, step]),
  );
  t.deepEqual(snapshot.run, DESCRIPTION);
  t.deepEqual(snapshot.state, { kind: 'training', step: 5, secondsLeft: 10 });
  run.recordStep(stepRecord(6, { loss: Number.NaN }));
  const [point] = (await next('points')).data as LiveEvents['points'];
  t.is(point.step, 6);
  t.is(point.loss, null);
  run.recordEvaluation({ step: 6, loss: 1.5, bestLoss: 1.5, seconds: 1 });
  t.deepEqual((await next('evaluation')).data, { step: 6, tokens: 192, loss: 1.5, best: true });
  run.recordSample({ step: 6, text: 'a\nb\u2028c' });
  t.deepEqual((await next('sample')).data, { step: 6, text: 'a\nb\u2028c' });
});

test('one who comes back misses nothing and is told nothing twice', async (t) => {
  const { run, url } = await serve(t);
  run.begin(DESCRIPTION);
  const first = await listenTo(t, url);
  await first.next('snapshot');
  run.recordStep(stepRecord(1));
  const { id } = await first.next('points');
  first.request.destroy();
  for (let step = 2; step <= 20; step++) run.recordStep(stepRecord(step));
  const ways = [
    await listenTo(t, url, id),
    await listenTo(t, url, undefined, `?lastEventId=${id}`),
  ];
  for (const again of ways) {
    const told = () => stepsOf(again.all).reduce((sum, steps) => sum + steps, 0);
    while (told() < 19) await again.next('points');
    t.is(told(), 19);
    t.false(again.all.some(({ name }) => name === 'snapshot'));
  }
});

test('one who comes back after too much, or from another run, is sent a snapshot', async (t) => {
  const { run, url } = await serve(t);
  const first = await listenTo(t, url);
  const { id } = await first.next('snapshot');
  first.request.destroy();
  for (let step = 1; step <= 300; step++) run.recordSample({ step, text: 'x' });
  for (const stale of [id, '7', 'other-1', `${id}9999`, 'x'.repeat(1000)]) {
    const { all, next, request } = await listenTo(t, url, stale);
    await next('snapshot');
    t.is(all.length, 1);
    request.destroy();
  }
});

test('the 33rd listener is asked to come later, and scrapes go on', async (t) => {
  const { run, url } = await serve(t);
  const listeners = await Promise.all(Array.from({ length: 32 }, () => listenTo(t, url)));
  const refused = await fetch(`${url}/events`);
  t.is(refused.status, 503);
  t.is(refused.headers.get('retry-after'), '5');
  await refused.text();
  t.is((await fetch(`${url}/metrics`)).status, 200);
  run.recordStep(stepRecord(1));
  for (const { next } of listeners) await next('points');
  listeners[0].request.destroy();
  for (let status = 503; status !== 200; ) {
    const response = await fetch(`${url}/events`);
    status = response.status;
    await response.body?.cancel();
  }
  t.pass();
});

test('one who does not read is dropped, while the others hear all', async (t) => {
  const limits = { listeners: 2, waitingBytes: 2 ** 20, heartbeatMilliseconds: 60_000 };
  const { run, url } = await serve(t, limits);
  const reader = await listenTo(t, url);
  const idle = await listenTo(t, url);
  idle.response.on('error', () => {}).pause();
  const text = 'x'.repeat(200_000);
  const isFull = async () => (await fetch(`${url}/events`, { method: 'HEAD' })).status === 503;
  let step = 0;
  for (; await isFull(); step++) {
    run.recordSample({ step, text });
    t.is(((await reader.next('sample')).data as LiveEvents['sample']).step, step);
  }
  t.true(step > 5 && step < 500, String(step));
});

test('a sign of life is sent where nothing happens', async (t) => {
  const limits = { listeners: 4, waitingBytes: 2 ** 16, heartbeatMilliseconds: 5 };
  const { url } = await serve(t, limits);
  const { response } = await listenTo(t, url);
  let text = '';
  for await (const part of response.setEncoding('utf8')) {
    text += part;
    if (text.includes('\n: \n\n')) break;
  }
  t.regex(text, /^retry: 2000\n\nid: /);
});

test('a stream ends whole when the server closes, with the end of the run', async (t) => {
  const { run, server, url } = await serve(t);
  run.begin(DESCRIPTION);
  const { all, next } = await listenTo(t, url);
  await next('snapshot');
  run.recordStep(stepRecord(1));
  run.end('failed', 'The disk is full.');
  const closed = server.close();
  await t.throwsAsync(next('gradients'), { message: 'The stream ended before gradients.' });
  await closed;
  t.deepEqual(all.at(-1), {
    ...all.at(-1)!,
    name: 'state',
    data: { kind: 'failed', step: 1, secondsLeft: null, message: 'The disk is full.' },
  });
});
