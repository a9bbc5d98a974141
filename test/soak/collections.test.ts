import test from 'ava';
import { FIRST_MARK, LAST_MARK, overcollecting, readTrace } from './collections.ts';

const line = (thread: string, milliseconds: number) =>
  `[47:${thread}]  812 ms: Scavenge 5.2 (6.1) -> 4.9 (7.1) MB, ${milliseconds} / 0.00 ms  (average mu = 1.000) task;`;

test('the pauses of each thread between the marks are added up, those of the main thread first', (t) => {
  const trace = [
    line('0x1', 99),
    line('0x2', 99),
    FIRST_MARK,
    line('0x2', 3),
    line('0x1', 10),
    line('0x2', 1),
    'other output',
    `${LAST_MARK} 2.0`,
    line('0x1', 99),
  ].join('\n');
  t.deepEqual(readTrace(trace), {
    seconds: 2,
    threads: [
      { collections: 1, share: 0.005 },
      { collections: 2, share: 0.002 },
    ],
  });
});

test('a training that did not come to its end is an error, not a share of zero', (t) => {
  t.throws(() => readTrace(`${FIRST_MARK}\n`), { message: /^Expected a traced training/ });
});

test('a trace without any collection is an error, not one of threads that never collect', (t) => {
  t.throws(() => readTrace(`other output\n${FIRST_MARK}\n${LAST_MARK} 2.0`), {
    message: /^Expected a trace of V8/,
  });
});

test('every thread but the main one must collect for less than 0.5% of the time', (t) => {
  const threads = [0.2, 0.0049, 0.005, 0.0, 0.3, Number.NaN].map((share) => ({
    collections: 1,
    share,
  }));
  const over = overcollecting({ seconds: 2, threads });
  t.deepEqual(
    over.map(({ share }) => share),
    [0.005, 0.3, Number.NaN],
  );
  t.deepEqual(overcollecting({ seconds: 2, threads: threads.slice(0, 2) }), []);
});
