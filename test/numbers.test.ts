import test from 'ava';
import { formatNumber, formatSeconds, formatShare, formatTick } from '../src/numbers.ts';

const CASES: [(value: number) => string, number, string][] = [
  [formatNumber, 0, '0'],
  [formatNumber, 0.0123456, '0.01235'],
  [formatNumber, 1234.56, '1,235'],
  [formatNumber, 123456, '123,456'],
  [formatNumber, 0.0000123, '1.23e-5'],
  [formatNumber, 1e-10, '1e-10'],
  [formatNumber, 1e20, '1e20'],
  [formatNumber, Number.NaN, '–'],
  [formatTick, 0, '0'],
  [formatTick, 1500, '1.5k'],
  [formatTick, 2_000_000, '2M'],
  [formatTick, 0.0005, '0.0005'],
  [formatTick, 0.00001, '1e-5'],
  [formatShare, 0, '0%'],
  [formatShare, 1, '100%'],
  [formatShare, 0.934, '93%'],
  [formatShare, 0.0042, '0.42%'],
  [formatSeconds, 2.5, '2.50 s'],
  [formatSeconds, 1234.5, '1235 s'],
  [formatSeconds, 0.9996, '1000 ms'],
  [formatSeconds, 0.0123, '12.3 ms'],
  [formatSeconds, 0.00045, '450 µs'],
];

for (const [format, value, shown] of CASES) {
  test(`${format.name} shows ${value} as ${shown}`, (t) => t.is(format(value), shown));
}
