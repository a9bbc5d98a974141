import test from 'ava';
import { ChunkFeed, type Placed } from '../../src/coordinator/feed.ts';
import { toErrorRecord } from '../../src/errors.ts';
import type { FillOutcome } from '../../src/pool/actor-protocol.ts';

const FILLED: FillOutcome = { bytes: 1 };
const failed = (message: string): FillOutcome => ({ error: toErrorRecord(new Error(message)) });

interface Request {
  wanted: readonly Placed<number>[];
  /** All of them are filled, but for what `outcomes` says, by chunk. */
  finish: (outcomes?: Record<number, FillOutcome>) => void;
  fail: (error: Error) => void;
}

/** A feed whose fills end when the test says so. */
function controlledFeed(chunks: number, slots: number) {
  const requests: Request[] = [];
  const feed = new ChunkFeed(
    Array.from({ length: chunks }, (_, i) => i),
    slots,
    (wanted) =>
      new Promise<FillOutcome[]>((resolve, fail) => {
        const finish: Request['finish'] = (outcomes = {}) =>
          resolve(wanted.map(({ chunk }) => outcomes[chunk] ?? FILLED));
        requests.push({ wanted, finish, fail });
      }),
  );
  const chunksOf = () => requests.map(({ wanted }) => wanted.map(({ chunk }) => chunk));
  return { feed, requests, chunksOf };
}

test('chunks come in order, each in the slot it was filled in', async (t) => {
  const filled: Placed<number>[] = [];
  const feed = new ChunkFeed([10, 11, 12, 13, 14], 3, async (wanted) => {
    filled.push(...wanted);
    return wanted.map(() => FILLED);
  });
  const fed: Placed<number>[] = [];
  for (let next = await feed.next(); next; next = await feed.next()) {
    t.true(next.waitSeconds >= 0);
    fed.push({ chunk: next.chunk, slot: next.slot });
  }
  t.deepEqual(fed, [
    { chunk: 10, slot: 0 },
    { chunk: 11, slot: 1 },
    { chunk: 12, slot: 2 },
    { chunk: 13, slot: 0 },
    { chunk: 14, slot: 1 },
  ]);
  t.deepEqual(filled, fed);
  t.is(await feed.next(), undefined);
});

test('nothing is filled before the first chunk is asked for', (t) => {
  t.is(controlledFeed(5, 3).requests.length, 0);
});

test('half of those ahead are asked for at once, when as many slots are free', async (t) => {
  const { feed, requests, chunksOf } = controlledFeed(11, 9);
  const first = feed.next();
  t.deepEqual(chunksOf(), [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
  requests[0].finish();
  await first;
  for (const chunk of [1, 2, 3]) {
    feed.refill();
    t.is(requests.length, 2, 'not yet');
    t.is((await feed.next())?.chunk, chunk);
  }
  feed.refill();
  t.deepEqual(chunksOf()[2], [8, 9, 10], 'the rest of them');
  for (const { finish } of requests) finish();
  await feed.close();
});

for (const slots of [2, 3, 5, 9]) {
  test(`${slots} slots: those ahead are filled, and the one in use never`, async (t) => {
    const { feed, requests } = controlledFeed(40, slots);
    let requested = 0;
    for (let chunk = 0; chunk < 20; chunk++) {
      const next = feed.next();
      for (const { finish } of requests.slice(requested)) finish();
      requested = requests.length;
      const fed = await next;
      t.is(fed?.chunk, chunk);
      feed.refill();
      const ahead = requests.flatMap(({ wanted }) => wanted).slice(chunk + 1);
      t.true(ahead.length >= Math.floor((slots - 1) / 2) && ahead.length >= 1);
      t.true(ahead.length <= slots - 1);
      t.false(ahead.some(({ slot }) => slot === fed?.slot));
      t.is(new Set(ahead.map(({ slot }) => slot)).size, ahead.length);
    }
    for (const { finish } of requests) finish();
    await feed.close();
  });
}

test('an error of the loader is delivered with its chunk, not before', async (t) => {
  const { feed, requests } = controlledFeed(8, 5);
  const first = feed.next();
  requests[0].finish({ 1: failed('the file changed') });
  requests[1].fail(new Error('the loader is lost'));
  t.is((await first)?.chunk, 0);
  await t.throwsAsync(feed.next(), { message: 'the file changed' });
  await t.throwsAsync(feed.next(), { message: 'the loader is lost' });
  for (const { finish } of requests) finish();
  await feed.close();
});

test('close waits for the fills under way, and their errors trouble nobody', async (t) => {
  const { feed, requests } = controlledFeed(5, 3);
  const first = feed.next();
  requests[0].finish();
  await first;
  feed.refill();
  let closed = false;
  const closing = feed.close().then(() => {
    closed = true;
  });
  requests[1].finish();
  await new Promise(setImmediate);
  t.false(closed);
  requests[2].fail(new Error('nobody asks'));
  await closing;
  t.true(closed);
});

test('an empty feed ends at once', async (t) => {
  const { feed } = controlledFeed(0, 3);
  t.is(await feed.next(), undefined);
  await feed.close();
});

test('it says what lies ready ahead', async (t) => {
  const { feed, requests } = controlledFeed(9, 5);
  const first = feed.next();
  requests[0].finish();
  await first;
  t.is(feed.readyAhead, 1);
  t.deepEqual([feed.ready?.chunk, feed.ready?.slot], [1, 1]);
  await feed.next();
  t.deepEqual([feed.readyAhead, feed.ready], [0, undefined]);
  requests[1].finish({ 3: failed('no text') });
  await new Promise(setImmediate);
  t.is(feed.readyAhead, 1);
  t.is(feed.ready?.chunk, 2);
  await feed.close();
});
