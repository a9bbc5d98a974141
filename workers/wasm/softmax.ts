/**
 * Softmax cross-entropy, forward and backward in one: logits (R, n) become softmax(logits) −
 * onehot(target); losses (R) = −ln softmax(logits)[target]; targets: int32 (R). Nothing aliases.
 *
 * Each row alone: its greatest logit, then e^(logit − greatest) and their sum in float64, four
 * columns at a time in ascending order, then the division. A row's bits depend on its numbers and n
 * only.
 * Tails: the lanes that a row's last vector lacks are −∞, whose exponential is 0.
 * A NaN or +∞ among the logits makes the whole row and its loss NaN, as the equations do.
 */
import { addressOf, LANES, load, store, VECTOR_BYTES } from './lanes';
import { exp, log } from './math';

export function softmaxCrossEntropy(
  logits: i32,
  targets: i32,
  rows: i32,
  n: i32,
  losses: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const row = addressOf(logits + r * n);
    const target = row + addressOf(i32.load(addressOf(targets + r)));
    const targetLogit = <f64>f32.load(target);
    const greatest = greatestOf(row, n);
    const sum = exponentiate(row, n, greatest);
    f32.store(addressOf(losses + r), <f32>(log(sum) + <f64>greatest - targetLogit));
    scale(row, n, <f32>(1 / sum));
    f32.store(target, f32.load(target) - 1);
  }
}

/** The greatest of a row's numbers; NaN is passed over. */
function greatestOf(row: usize, n: i32): f32 {
  let greatest = f32x4.splat(-Infinity);
  let left = n;
  for (; left >= LANES; left -= LANES) {
    greatest = f32x4.pmax(greatest, v128.load(row));
    row += VECTOR_BYTES;
  }
  if (left > 0) greatest = f32x4.pmax(greatest, loadLast(row, left));
  return max(
    max(f32x4.extract_lane(greatest, 0), f32x4.extract_lane(greatest, 1)),
    max(f32x4.extract_lane(greatest, 2), f32x4.extract_lane(greatest, 3)),
  );
}

/** row = e^(row − greatest); returns the sum. */
function exponentiate(row: usize, n: i32, greatest: f32): f64 {
  const shift = f32x4.splat(greatest);
  let sums = f64x2.splat(0);
  let left = n;
  for (; left >= LANES; left -= LANES) {
    const e = exp(f32x4.sub(v128.load(row), shift));
    v128.store(row, e);
    sums = f64x2.add(sums, sumOfPairs(e));
    row += VECTOR_BYTES;
  }
  if (left > 0) {
    const e = exp(f32x4.sub(loadLast(row, left), shift));
    store(row, e, left);
    sums = f64x2.add(sums, sumOfPairs(e));
  }
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/** (x₀ + x₂, x₁ + x₃) in float64. */
// @ts-ignore: decorator
@inline
function sumOfPairs(x: v128): v128 {
  const high = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  return f64x2.add(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(high));
}

/** The last `count` (1 to 3) numbers of a row, −∞ behind them. */
function loadLast(at: usize, count: i32): v128 {
  const present = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  return v128.bitselect(load(at, count), f32x4.splat(-Infinity), present);
}

function scale(row: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let left = n;
  for (; left >= LANES; left -= LANES) {
    v128.store(row, f32x4.mul(v128.load(row), factors));
    row += VECTOR_BYTES;
  }
  if (left > 0) store(row, f32x4.mul(load(row, left), factors), left);
}
