import test from 'ava';
import { ChunkFeed } from '../../src/coordinator/feed.ts';

interface Fill {
  chunk: number;
  slot: number;
  finish: () => void;
  fail: (error: Error) => void;
}

/** A feed whose fills end when the test says so. */
function controlledFeed(chunks: number, slots: number) {
  const fills: Fill[] = [];
  const feed = new ChunkFeed(
    Array.from({ length: chunks }, (_, i) => i),
    slots,
    (chunk, slot) =>
      new Promise<void>((finish, fail) => {
        fills.push({ chunk, slot, finish, fail });
      }),
  );
  return { feed, fills };
}

test('chunks come in order, each in the slot it was filled in', async (t) => {
  const filled: [number, number][] = [];
  const feed = new ChunkFeed([10, 11, 12, 13, 14], 3, async (chunk, slot) => {
    filled.push([chunk, slot]);
  });
  const fed: [number, number][] = [];
  for (let next = await feed.next(); next; next = await feed.next()) {
    t.true(next.waitSeconds >= 0);
    fed.push([next.chunk, next.slot]);
  }
  t.deepEqual(fed, [
    [10, 0],
    [11, 1],
    [12, 2],
    [13, 0],
    [14, 1],
  ]);
  t.deepEqual(filled, fed);
  t.is(await feed.next(), undefined);
});

test('nothing is filled before the first chunk is asked for', (t) => {
  t.is(controlledFeed(5, 3).fills.length, 0);
});

for (const slots of [2, 3, 5]) {
  test(`${slots} slots: all but the one in use are filled ahead, and that one never`, async (t) => {
    const { feed, fills } = controlledFeed(20, slots);
    for (let chunk = 0; chunk < 8; chunk++) {
      const next = feed.next();
      // The slot of the chunk before is free again only now.
      t.true(fills.length <= chunk + slots - 1);
      fills[chunk].finish();
      const fed = await next;
      t.is(fed?.chunk, chunk);
      feed.refill();
      t.is(fills.length, chunk + slots);
      const ahead = fills.slice(chunk + 1).map(({ slot }) => slot);
      t.false(ahead.includes(fed?.slot ?? -1));
      t.is(new Set(ahead).size, slots - 1);
    }
    for (const { finish } of fills) finish();
    await feed.close();
  });
}

test('an error of the loader is delivered with its chunk, not before', async (t) => {
  const { feed, fills } = controlledFeed(5, 3);
  const first = feed.next();
  fills[1].fail(new Error('the file changed'));
  fills[0].finish();
  t.is((await first)?.chunk, 0);
  await t.throwsAsync(feed.next(), { message: 'the file changed' });
  for (const { finish } of fills) finish();
  await feed.close();
});

test('close waits for the fills under way, and their errors trouble nobody', async (t) => {
  const { feed, fills } = controlledFeed(5, 3);
  const first = feed.next();
  fills[0].finish();
  await first;
  feed.refill();
  let closed = false;
  const closing = feed.close().then(() => {
    closed = true;
  });
  fills[1].finish();
  await new Promise(setImmediate);
  t.false(closed);
  fills[2].fail(new Error('nobody asks'));
  await closing;
  t.true(closed);
});

test('an empty feed ends at once', async (t) => {
  const { feed } = controlledFeed(0, 3);
  t.is(await feed.next(), undefined);
  await feed.close();
});

test('it says how many chunks lie ready ahead', async (t) => {
  const { feed, fills } = controlledFeed(9, 4);
  const first = feed.next();
  fills[0].finish();
  await first;
  feed.refill();
  t.is(feed.readyAhead, 0);
  fills[1].finish();
  fills[3].fail(new Error('no text'));
  await new Promise(setImmediate);
  t.is(feed.readyAhead, 1);
  fills[2].finish();
  await feed.next();
  await new Promise(setImmediate);
  t.is(feed.readyAhead, 1);
});
