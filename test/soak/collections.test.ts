import test from 'ava';
import { FIRST_MARK, LAST_MARK, readTrace } from './collections.ts';

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
