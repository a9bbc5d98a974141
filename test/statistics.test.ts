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

test('the trimmed mean leaves out a tenth at each end', (t) => {
  t.is(trimmedMean([3, 1, 2]), 2);
  t.is(trimmedMean([1000, 1, 2, 3, 4, 5, 6, 7, 8, -1000]), 4.5);
  t.is(trimmedMean([]), Number.NaN);
});
