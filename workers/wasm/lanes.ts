/**
 * What all kernels share: addresses, the one multiply-add, and vectors of fewer than four numbers.
 *
 * A tail is computed by the same vector operations as the rest, on a vector whose missing lanes are
 * zero, so that a result never depends on where in a row or a range its element stands.
 */

export const WORD_BYTES: usize = 4;
/** Numbers in a vector. */
export const LANES: i32 = 4;
/** Bytes of a vector. */
export const VECTOR_BYTES: usize = 16;

/** The byte address of a word: unsigned, so that it reaches all of 4 GiB. */
// @ts-ignore: decorator
@inline
export function addressOf(offset: i32): usize {
  return <usize>offset << 2;
}

/**
 * a · b + c: rounded once in the relaxed build, after the product and after the sum in the plain
 * one.
 */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? f32x4.relaxed_madd(a, b, c)
    : f32x4.add(f32x4.mul(a, b), c);
}

/** The first `count` numbers at an address, zeros behind them; reads nothing beyond. */
// @ts-ignore: decorator
@inline
export function load(at: usize, count: i32): v128 {
  return count >= LANES ? v128.load(at) : loadFew(at, count);
}

/** Writes the first `count` numbers of a vector, and nothing beyond. */
// @ts-ignore: decorator
@inline
export function store(at: usize, value: v128, count: i32): void {
  if (count >= LANES) v128.store(at, value);
  else storeFew(at, value, count);
}

function loadFew(at: usize, count: i32): v128 {
  if (count <= 0) return f32x4.splat(0);
  if (count == 1) return v128.load32_zero(at);
  const pair = v128.load64_zero(at);
  return count == 2 ? pair : v128.load32_lane(at, pair, 2, 8);
}

function storeFew(at: usize, value: v128, count: i32): void {
  if (count <= 0) return;
  if (count == 1) {
    v128.store32_lane(at, value, 0);
    return;
  }
  v128.store64_lane(at, value, 0);
  if (count == 3) v128.store32_lane(at, value, 2, 8);
}
