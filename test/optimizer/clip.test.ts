import test from 'ava';
import { clipByNorm } from '../../src/optimizer/clip.ts';

test('the norm is that of the mean gradient over tokens', (t) => {
  const { gradNorm } = clipByNorm(Float64Array.of(9, 16), 10, 0);
  t.is(gradNorm, 0.5);
});

test('a norm above the limit is scaled down to it', (t) => {
  t.deepEqual(clipByNorm(Float64Array.of(9, 16), 1, 2), { gradNorm: 5, clipScale: 0.4 });
});

test('a norm at the limit or below it stays', (t) => {
  t.is(clipByNorm(Float64Array.of(9, 16), 1, 5).clipScale, 1);
  t.is(clipByNorm(Float64Array.of(9, 16), 1, 6).clipScale, 1);
});

test('a limit of 0 is off', (t) => {
  t.is(clipByNorm(Float64Array.of(1e30), 1, 0).clipScale, 1);
});

test('a gradient of zero stays zero', (t) => {
  t.deepEqual(clipByNorm(new Float64Array(3), 7, 1), { gradNorm: 0, clipScale: 1 });
  t.deepEqual(clipByNorm(new Float64Array(0), 7, 1), { gradNorm: 0, clipScale: 1 });
});

test('the partial sums are added in order', (t) => {
  const partials = Float64Array.of(1, 2 ** 53, -(2 ** 53));
  t.is(clipByNorm(partials, 1, 0).gradNorm, Math.sqrt(1 + 2 ** 53 - 2 ** 53));
});

test('a gradient that is not finite has a norm that is not finite', (t) => {
  t.is(clipByNorm(Float64Array.of(1, Number.NaN), 1, 1).gradNorm, Number.NaN);
  t.is(
    clipByNorm(Float64Array.of(1, Number.POSITIVE_INFINITY), 1, 1).gradNorm,
    Number.POSITIVE_INFINITY,
  );
});
