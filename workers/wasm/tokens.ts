/**
 * Rows picked and added by index, and dropout. Tails of a row: a vector of fewer numbers, the same
 * operations.
 */
import { addressOf, LANES, load, store, VECTOR_BYTES } from './lanes';

/** out (R, n) = source[index[row]], index: int32 (R). out aliases nothing. */
export function gatherRows(
  source: i32,
  sourceStride: i32,
  index: i32,
  rows: i32,
  n: i32,
  out: i32,
  outStride: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const picked = i32.load(addressOf(index + r));
    let from = addressOf(source + picked * sourceStride);
    let to = addressOf(out + r * outStride);
    let left = n;
    for (; left >= LANES; left -= LANES) {
      v128.store(to, v128.load(from));
      from += VECTOR_BYTES;
      to += VECTOR_BYTES;
    }
    if (left > 0) store(to, load(from, left), left);
  }
}

/** out[index[g, r]] += a[g, r], in order of group, then row; index: int32. out aliases nothing. */
export function scatterAddRows(
  a: i32,
  aStride: i32,
  aGroupStride: i32,
  index: i32,
  indexGroupStride: i32,
  groups: i32,
  rows: i32,
  n: i32,
  out: i32,
  outStride: i32,
): void {
  for (let g = 0; g < groups; g++) {
    for (let r = 0; r < rows; r++) {
      const picked = i32.load(addressOf(index + g * indexGroupStride + r));
      const row = addressOf(a + g * aGroupStride + r * aStride);
      addRow(row, addressOf(out + picked * outStride), n);
    }
  }
}

function addRow(from: usize, to: usize, n: i32): void {
  let left = n;
  for (; left >= LANES; left -= LANES) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    from += VECTOR_BYTES;
    to += VECTOR_BYTES;
  }
  if (left > 0) store(to, f32x4.add(load(to, left), load(from, left)), left);
}

const ROW_STEP: i32 = 0x9e3779b9;
const UNIT_STEP: i32 = 0x85ebca6b;

/**
 * out (R, n) = source ⊙ keep · scale, where keep is bits(r, j) ≥ threshold (unsigned) and bits(r,
 * j) = mix(mix(key ⊕ (firstStream + r)·ROW_STEP) + j·UNIT_STEP), all modulo 2³². out may be source.
 * The numbers and the steps are those of src/kernels/mix.ts.
 */
export function dropout(
  source: i32,
  out: i32,
  rows: i32,
  n: i32,
  firstStream: i32,
  key: i32,
  threshold: i32,
  scale: f32,
): void {
  const bound = i32x4.splat(threshold);
  const factor = f32x4.splat(scale);
  let from = addressOf(source);
  let to = addressOf(out);
  for (let r = 0; r < rows; r++) {
    const rowKey = mix(i32x4.splat(key ^ ((firstStream + r) * ROW_STEP)));
    let counters = i32x4.add(rowKey, i32x4(0, UNIT_STEP, 2 * UNIT_STEP, 3 * UNIT_STEP));
    let left = n;
    for (; left >= LANES; left -= LANES) {
      const keep = i32x4.ge_u(mix(counters), bound);
      v128.store(to, v128.and(f32x4.mul(v128.load(from), factor), keep));
      counters = i32x4.add(counters, i32x4.splat(4 * UNIT_STEP));
      from += VECTOR_BYTES;
      to += VECTOR_BYTES;
    }
    if (left > 0) {
      const keep = i32x4.ge_u(mix(counters), bound);
      store(to, v128.and(f32x4.mul(load(from, left), factor), keep), left);
      from += addressOf(left);
      to += addressOf(left);
    }
  }
}

/**
 * Bijective scrambling of 32 bits; "lowbias32" of C. Wellons, Prospecting for Hash Functions
 * (2018).
 */
// @ts-ignore: decorator
@inline
function mix(bits: v128): v128 {
  let x = bits;
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x7feb352d));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}
