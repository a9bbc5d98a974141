/** Vectors of n numbers. Tails: a vector of fewer numbers, the same operations. */
import { addressOf, LANES, load, store, VECTOR_BYTES } from './lanes';

/** out = a + b; out may be a or b. */
export function add(a: i32, b: i32, out: i32, n: i32): void {
  let left = addressOf(a);
  let right = addressOf(b);
  let to = addressOf(out);
  let count = n;
  for (; count >= LANES; count -= LANES) {
    v128.store(to, f32x4.add(v128.load(left), v128.load(right)));
    left += VECTOR_BYTES;
    right += VECTOR_BYTES;
    to += VECTOR_BYTES;
  }
  if (count > 0) store(to, f32x4.add(load(left, count), load(right, count)), count);
}

export function copy(source: i32, out: i32, n: i32): void {
  memory.copy(addressOf(out), addressOf(source), addressOf(n));
}

export function fill(out: i32, n: i32, value: f32): void {
  const values = f32x4.splat(value);
  let to = addressOf(out);
  let count = n;
  for (; count >= LANES; count -= LANES) {
    v128.store(to, values);
    to += VECTOR_BYTES;
  }
  if (count > 0) store(to, values, count);
}

/**
 * Σ a² in float64, where each square is exact. Eight running sums, the number j in sum j modulo 8,
 * added pairwise at the end: an order fixed by n.
 */
export function sumOfSquares(a: i32, n: i32): f64 {
  let from = addressOf(a);
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  for (let left = n; left > 0; left -= 2 * LANES) {
    const x = load(from, left);
    const y = load(from + VECTOR_BYTES, left - LANES);
    sum0 = f64x2.add(sum0, squaresLow(x));
    sum1 = f64x2.add(sum1, squaresHigh(x));
    sum2 = f64x2.add(sum2, squaresLow(y));
    sum3 = f64x2.add(sum3, squaresHigh(y));
    from += 2 * VECTOR_BYTES;
  }
  const sums = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/** The squares of a vector's first two numbers. */
// @ts-ignore: decorator
@inline
function squaresLow(x: v128): v128 {
  const wide = f64x2.promote_low_f32x4(x);
  return f64x2.mul(wide, wide);
}

/** The squares of a vector's last two numbers. */
// @ts-ignore: decorator
@inline
function squaresHigh(x: v128): v128 {
  return squaresLow(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}
