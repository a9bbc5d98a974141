import test from 'ava';
import { median } from '../src/statistics.ts';

test('the median is the middle value, or the mean of the two middle ones', (t) => {
  const values = [3, 1, 10];
  t.is(median(values), 3);
  t.deepEqual(values, [3, 1, 10]);
  t.is(median([4, 1, 3, 20]), 3.5);
  t.is(median([7]), 7);
  t.is(median([]), Number.NaN);
});
