import test from 'ava';
import fc from 'fast-check';
import { cut, cutByCost, planShards, type Span } from '../../src/coordinator/plan.ts';

/** The items of spans, one after another. */
const itemsOf = (spans: readonly Span[]) =>
  spans.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('lane k of S holds streams ⌊kN/S⌋ … ⌊(k+1)N/S⌋ − 1', (t) => {
  t.deepEqual(cut(11, 4), [
    { first: 0, count: 2 },
    { first: 2, count: 3 },
    { first: 5, count: 3 },
    { first: 8, count: 3 },
  ]);
  t.deepEqual(cut(3, 1), [{ first: 0, count: 3 }]);
  t.deepEqual(
    cut(2, 4).map(({ count }) => count),
    [0, 1, 0, 1],
  );
  t.deepEqual(
    cut(0, 2).map(({ count }) => count),
    [0, 0],
  );
  t.deepEqual(cut(5, 0), []);
});

test('a cut covers every item once, in order, in parts that differ by one at most', (t) => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 40 }), (count, parts) => {
      const spans = cut(count, parts);
      t.deepEqual(itemsOf(spans), upTo(count));
      t.is(spans.length, parts);
      const counts = spans.map((span) => span.count);
      t.true(Math.max(...counts) - Math.min(...counts) <= 1);
    }),
  );
  t.pass();
});

test('a cut by cost covers every item once, in order', (t) => {
  const costs = fc.array(fc.nat(1000), { maxLength: 60 });
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 20 }), (values, parts) => {
      const spans = cutByCost(values, parts);
      t.is(spans.length, parts);
      t.deepEqual(itemsOf(spans), upTo(values.length));
    }),
  );
});

test('no part of a cut by cost is dearer than its share and its dearest item', (t) => {
  const costs = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 20 }), (values, parts) => {
      const total = values.reduce((sum, value) => sum + value, 0);
      for (const { first, count } of cutByCost(values, parts)) {
        const cost = values.slice(first, first + count).reduce((sum, value) => sum + value, 0);
        t.true(cost <= total / parts + Math.max(...values) + 1e-6);
      }
    }),
  );
});

test('equal costs are cut into equal parts', (t) => {
  t.deepEqual(cutByCost([3, 3, 3, 3], 2), cut(4, 2));
  t.deepEqual(cutByCost([], 3), cut(0, 3));
});

test('shards hold whole lanes and cover all streams once, in order', (t) => {
  const streams = fc.integer({ min: 1, max: 64 });
  fc.assert(
    fc.property(streams, streams, fc.integer({ min: 1, max: 16 }), (n, lanes, workers) => {
      const laneStreams = cut(Math.max(n, lanes), lanes);
      const shards = planShards(laneStreams, workers);
      t.is(shards.length, Math.min(workers, lanes));
      t.deepEqual(itemsOf(shards.map((shard) => shard.lanes)), upTo(lanes));
      t.deepEqual(itemsOf(shards.map((shard) => shard.streams)), upTo(Math.max(n, lanes)));
      for (const shard of shards) {
        t.true(shard.lanes.count >= 1);
        t.is(laneStreams[shard.lanes.first].first, shard.streams.first);
      }
    }),
  );
});
