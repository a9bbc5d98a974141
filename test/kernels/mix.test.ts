import test from 'ava';
import { mix, mixKey, normal, uniform } from '../../src/kernels/mix.ts';

const COUNT = 20_000;
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** χ² of counts that should be equal; its mean is cells − 1, its variance twice that. */
function isEven(counts: readonly number[]): boolean {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const even = total / counts.length;
  const chi = counts.reduce((sum, count) => sum + (count - even) ** 2 / even, 0);
  const freedom = counts.length - 1;
  return Math.abs(chi - freedom) < 5 * Math.sqrt(2 * freedom);
}

function histogram(values: readonly number[], cells: number): number[] {
  const counts = new Array<number>(cells).fill(0);
  for (const value of values) counts[Math.floor(value * cells)]++;
  return counts;
}

test('mix is a bijection with the values of lowbias32', (t) => {
  t.is(new Set(upTo(100_000).map(mix)).size, 100_000);
  t.is(mix(0), 0);
  t.is(mix(1) >>> 0, 1753845952);
});

test('uniform numbers lie in [0, 1) and fill it evenly, for keys near each other', (t) => {
  for (const key of [0, 1, 2, -1, mixKey(1, 2, 3)]) {
    const values = upTo(COUNT).map((i) => uniform(key, i));
    t.true(values.every((value) => value >= 0 && value < 1));
    t.true(isEven(histogram(values, 64)), `key ${key}`);
  }
});

test('the first numbers of many keys are as even as many numbers of one key', (t) => {
  t.true(
    isEven(
      histogram(
        upTo(COUNT).map((seed) => uniform(mixKey(seed, 5, 0), 0)),
        64,
      ),
    ),
  );
});

test('numbers next to each other, and of keys next to each other, do not go together', (t) => {
  const pairs = (other: (i: number) => number) => {
    const counts = new Array<number>(64).fill(0);
    for (const i of upTo(COUNT)) {
      counts[8 * Math.floor(8 * uniform(7, i)) + Math.floor(8 * other(i))]++;
    }
    return counts;
  };
  t.true(isEven(pairs((i) => uniform(7, i + 1))));
  t.true(isEven(pairs((i) => uniform(8, i))));
  t.true(isEven(pairs((i) => uniform(mixKey(7, 1), i))));
});

test('normal numbers have mean 0, variance 1 and the tails of a normal distribution', (t) => {
  const values = upTo(COUNT).map((i) => normal(3, i));
  const moment = (power: number) => values.reduce((sum, x) => sum + x ** power, 0) / COUNT;
  t.true(Math.abs(moment(1)) < 5 / Math.sqrt(COUNT));
  t.true(Math.abs(moment(2) - 1) < 5 * Math.sqrt(2 / COUNT));
  t.true(Math.abs(moment(3)) < 5 * Math.sqrt(15 / COUNT));
  t.true(Math.abs(moment(4) - 3) < 5 * Math.sqrt(96 / COUNT));
  t.true(values.every(Number.isFinite));
});

test('keys depend on every part, its place, and all its bits', (t) => {
  const keys = [
    mixKey(),
    mixKey(0),
    mixKey(0, 0),
    mixKey(1, 2),
    mixKey(2, 1),
    mixKey(1, 2, 0),
    mixKey(2 ** 32),
    mixKey(2 ** 32 + 1),
    mixKey(2 ** 52),
    mixKey(Number.MAX_SAFE_INTEGER),
    mixKey(-1),
  ];
  t.is(new Set(keys).size, keys.length);
  t.is(mixKey(1, 2, 3), mixKey(1, 2, 3));
});
