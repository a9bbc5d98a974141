import test from 'ava';
import { median, trimmedMean } from '../src/statistics.ts';

test('the median is the middle value, or the mean of the two middle ones', (t) => {
  const values = [3, 1, 10];
  t.is(median(values), 3);
  t.deepEqual(values, [3, 1, 10]);
  t.is(median([4, 1, 3, 20]), 3.5);
  t.is(median([7]), 7);
  t.is(median([]), Number.NaN);
});

test('the trimmed mean leaves out a tenth at each end, and has an error', (t) => {
  t.deepEqual(trimmedMean([3, 1, 2]), { mean: 2, error: Math.sqrt(1 / 3) });
  t.deepEqual(trimmedMean([1000, 1, 1, 1, 1, 3, 3, 3, 3, -1000]), {
    mean: 2,
    error: Math.sqrt(1 / 7),
  });
  t.is(trimmedMean([]).mean, Number.NaN);
});
