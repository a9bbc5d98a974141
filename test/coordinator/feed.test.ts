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
  for (let [next] = await feed.next(); next; [next] = await feed.next()) {
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
  t.deepEqual(await feed.next(), []);
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
    t.is((await feed.next())[0].chunk, chunk);
  }
  feed.refill();
  t.deepEqual(chunksOf()[2], [8, 9, 10], 'the rest of them');
  for (const { finish } of requests) finish();
  await feed.close();
});

for (const slots of [3, 5, 7, 9, 17]) {
  test(`${slots} slots: while chunks are computed at once, as many lie ready ahead`, async (t) => {
    const { feed, requests } = controlledFeed(60, slots);
    const finishAll = () => {
      for (const { finish } of requests) finish();
    };
    let next = feed.next(4);
    finishAll();
    for (let round = 0; round < 6; round++) {
      // What is asked for now is not filled before it is asked what lies ready.
      const { length } = await next;
      t.is(feed.ready(4).length, length, `round ${round}`);
      feed.refill();
      finishAll();
      await new Promise(setImmediate);
      next = feed.next(4);
    }
    await next;
    finishAll();
    await feed.close();
  });
}

for (const slots of [2, 3, 5, 9]) {
  test(`${slots} slots: those ahead are filled, and the one in use never`, async (t) => {
    const { feed, requests } = controlledFeed(40, slots);
    let requested = 0;
    for (let chunk = 0; chunk < 20; chunk++) {
      const next = feed.next();
      for (const { finish } of requests.slice(requested)) finish();
      requested = requests.length;
      const [fed] = await next;
      t.is(fed.chunk, chunk);
      feed.refill();
      const ahead = requests.flatMap(({ wanted }) => wanted).slice(chunk + 1);
      t.true(ahead.length >= Math.floor((slots - 1) / 2) && ahead.length >= 1);
      t.true(ahead.length <= slots - 1);
      t.false(ahead.some(({ slot }) => slot === fed.slot));
      t.is(new Set(ahead.map(({ slot }) => slot)).size, ahead.length);
    }
    for (const { finish } of requests) finish();
    await feed.close();
  });
}

for (const slots of [3, 5, 9, 17]) {
  test(`${slots} slots: several chunks at once are those that are filled, and none of theirs is filled anew`, async (t) => {
    const { feed, requests } = controlledFeed(60, slots);
    let requested = 0;
    for (let chunk = 0; chunk < 40; ) {
      const next = feed.next(4);
      for (const { finish } of requests.slice(requested)) finish();
      requested = requests.length;
      const fed = await next;
      t.true(fed.length >= 1 && fed.length <= 4);
      t.deepEqual(
        fed.map((each) => each.chunk),
        fed.map((_, i) => chunk + i),
      );
      t.true(fed.slice(1).every(({ waitSeconds }) => waitSeconds === 0));
      chunk += fed.length;
      feed.refill();
      const ahead = requests.flatMap(({ wanted }) => wanted).slice(chunk);
      t.true(ahead.length <= slots - fed.length);
      const inUse = new Set(fed.map(({ slot }) => slot));
      t.false(ahead.some(({ slot }) => inUse.has(slot)));
      if (slots === 17) t.is(fed.length, 4);
    }
    for (const { finish } of requests) finish();
    await feed.close();
  });
}

test('of several chunks only those are waited for and given that come before one that is not filled', async (t) => {
  const { feed, requests } = controlledFeed(11, 9);
  const first = feed.next(1);
  requests[0].finish();
  const given = [await first, await feed.next(2), await feed.next(2)];
  t.deepEqual(
    given.map((chunks) => chunks.map(({ chunk }) => chunk)),
    [[0], [1, 2], [3]],
    'of what was asked for together with the last one',
  );
  for (const { finish } of requests) finish();
  await feed.close();
});

test('an error of the loader is delivered with its chunk, not before', async (t) => {
  const { feed, requests } = controlledFeed(8, 5);
  const first = feed.next();
  requests[0].finish({ 1: failed('the file changed') });
  requests[1].fail(new Error('the loader is lost'));
  t.is((await first)[0].chunk, 0);
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
  t.deepEqual(await feed.next(), []);
  await feed.close();
});

test('it says what lies ready ahead', async (t) => {
  const { feed, requests } = controlledFeed(9, 5);
  const first = feed.next();
  requests[0].finish();
  await first;
  t.is(feed.readyAhead, 1);
  t.like(feed.ready(2), [{ chunk: 1, slot: 1 }]);
  await feed.next();
  t.deepEqual([feed.readyAhead, feed.ready(2)], [0, []]);
  requests[1].finish({ 3: failed('no text') });
  await new Promise(setImmediate);
  t.is(feed.readyAhead, 1);
  t.like(feed.ready(2), [{ chunk: 2 }]);
  await feed.close();
});
