import test from 'ava';
import fc from 'fast-check';
import {
  chunkWindow,
  planEvaluation,
  planTraining,
  splitText,
  streamLength,
} from '../../src/data/streams.ts';
import { InputError } from '../../src/errors.ts';

test('Streams take the same share of all ids but the last', (t) => {
  t.is(streamLength(100, 4), 24);
  t.is(streamLength(101, 4), 25);
  t.is(streamLength(1, 4), 0);
});

test('The first ⌊n(1−f)⌋ ids are for training, the rest for validation', (t) => {
  t.deepEqual(splitText(1000, 0.1), { train: 900, val: 100 });
  t.deepEqual(splitText(1_115_394, 0.1), { train: 1_003_854, val: 111_540 });
  t.deepEqual(splitText(7, 0.5), { train: 3, val: 4 });
  t.deepEqual(splitText(7, 0), { train: 7, val: 0 });
});

test('Training takes whole chunks and drops the rest', (t) => {
  t.deepEqual(planTraining(101, 4, 10), {
    count: 101,
    streams: 4,
    length: 25,
    chunk: 10,
    chunks: 2,
  });
  t.is(planTraining(41, 4, 10).chunks, 1);
});

const fits = test.macro({
  title: (_, count: number, batch: number, chunk: number) =>
    `${count} symbols are too few for ${batch} streams of ${chunk}: the refusal says what fits`,
  exec(t, count: number, batch: number, chunk: number, wanted: string) {
    t.throws(() => planTraining(count, batch, chunk), {
      instanceOf: InputError,
      message:
        `Expected at least ${batch * chunk + 1} symbols of training text for one chunk ` +
        `(--batch ${batch} × --chunk ${chunk}, and one target more), got ${count}. ${wanted}`,
    });
  },
});

test(fits, 4096, 64, 64, 'Use --batch 63 or --chunk 63, or more text.');
test(fits, 300, 64, 64, 'Use --batch 4 or --chunk 4, or more text.');
test(fits, 50, 64, 10, 'Use --batch 4, or more text.');
test(fits, 50, 10, 64, 'Use --chunk 4, or more text.');
test(fits, 50, 64, 64, 'Use --batch 1 --chunk 49, or more text.');
test(fits, 2, 3, 3, 'Use --batch 1 --chunk 1, or more text.');
test(fits, 1, 1, 1, 'Use more text.');

test('What a refusal proposes fits, and the next larger does not', (t) => {
  const size = fc.integer({ min: 1, max: 500 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5000 }), size, size, (count, batch, chunk) => {
      fc.pre(streamLength(count, batch) < chunk);
      const { message } = t.throws(() => planTraining(count, batch, chunk), {
        instanceOf: InputError,
      });
      const both = /Use --batch (\d+) --chunk (\d+),/.exec(message);
      if (both) t.is(planTraining(count, Number(both[1]), Number(both[2])).chunks, 1);
      const fewer = /Use --batch (\d+)(?: or|,)/.exec(message)?.[1];
      if (fewer) {
        t.true(planTraining(count, Number(fewer), chunk).chunks >= 1);
        t.throws(() => planTraining(count, Number(fewer) + 1, chunk));
      }
      const shorter = /(?:Use|or) --chunk (\d+),/.exec(message)?.[1];
      if (shorter) {
        t.is(planTraining(count, batch, Number(shorter)).chunks, 1);
        t.throws(() => planTraining(count, batch, Number(shorter) + 1));
      }
    }),
    { seed: 1 },
  );
});

test('An evaluation scores every time step of every stream, its last chunk ragged', (t) => {
  const plan = planEvaluation(101, 4, 10);
  t.deepEqual(plan, { count: 101, streams: 4, length: 25, chunk: 10, chunks: 3 });
  t.deepEqual(
    [0, 1, 2].map((index) => chunkWindow(plan, index)),
    [
      { start: 0, times: 10 },
      { start: 10, times: 10 },
      { start: 20, times: 5 },
    ],
  );
});

test('An evaluation of a short text has no more streams than targets', (t) => {
  t.deepEqual(planEvaluation(4, 16, 64), {
    count: 4,
    streams: 3,
    length: 1,
    chunk: 64,
    chunks: 1,
  });
  t.is(planEvaluation(2, 16, 64).streams, 1);
  t.throws(() => planEvaluation(1, 16, 64), { instanceOf: InputError, message: /--val-fraction/ });
  t.throws(() => planEvaluation(0, 16, 64), { instanceOf: InputError });
});

test('Whatever the sizes, the chunks of an evaluation are whole and the streams stay in the text', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 2000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 300 }),
      (count, streams, chunk) => {
        const plan = planEvaluation(count, streams, chunk);
        const windows = Array.from({ length: plan.chunks }, (_, i) => chunkWindow(plan, i));
        t.is(
          windows.reduce((total, { times }) => total + times, 0),
          plan.length,
        );
        t.true(windows.every(({ times }) => times >= 1));
        t.true(plan.streams * plan.length + 1 <= count);
      },
    ),
    { seed: 1 },
  );
});
