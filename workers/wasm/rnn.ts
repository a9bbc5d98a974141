/**
 * A step of the vanilla cell, all its rows, unit by unit: matrices (R, H) without a gap between
 * rows. hidden may alias gates. Tails: a vector of fewer numbers, the same operations.
 * Source: Elman, Finding Structure in Time (1990); the equations of torch.nn.RNN.
 */
import { addressOf, LANES, load, store, VECTOR_BYTES } from './lanes';
import { tanh } from './math';

/** hidden = tanh(gates), or max(0, gates) where `relu`. */
export function rnnForward(gates: i32, hidden: i32, rows: i32, width: i32, relu: i32): void {
  let from = addressOf(gates);
  let to = addressOf(hidden);
  let left = rows * width;
  for (; left >= LANES; left -= LANES) {
    forwardUnits(from, to, relu, LANES);
    from += VECTOR_BYTES;
    to += VECTOR_BYTES;
  }
  if (left > 0) forwardUnits(from, to, relu, left);
}

// @ts-ignore: decorator
@inline
function forwardUnits(from: usize, to: usize, relu: i32, count: i32): void {
  const z = load(from, count);
  store(to, relu ? f32x4.pmax(z, f32x4.splat(0)) : tanh(z), count);
}

/** gates = dHidden ⊙ (1 − hidden²), or dHidden where hidden > 0, else 0. */
export function rnnBackward(
  gates: i32,
  hidden: i32,
  dHidden: i32,
  rows: i32,
  width: i32,
  relu: i32,
): void {
  let to = addressOf(gates);
  let h = addressOf(hidden);
  let dh = addressOf(dHidden);
  let left = rows * width;
  for (; left >= LANES; left -= LANES) {
    backwardUnits(to, h, dh, relu, LANES);
    to += VECTOR_BYTES;
    h += VECTOR_BYTES;
    dh += VECTOR_BYTES;
  }
  if (left > 0) backwardUnits(to, h, dh, relu, left);
}

// @ts-ignore: decorator
@inline
function backwardUnits(to: usize, hidden: usize, dHidden: usize, relu: i32, count: i32): void {
  const h = load(hidden, count);
  const dh = load(dHidden, count);
  const gradient = relu
    ? v128.and(dh, f32x4.gt(h, f32x4.splat(0)))
    : f32x4.mul(dh, f32x4.sub(f32x4.splat(1), f32x4.mul(h, h)));
  store(to, gradient, count);
}
