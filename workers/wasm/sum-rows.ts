/**
 * out (n) = (accumulate ? out : 0) + the sum of the rows of a (groups · rows, n), in order of
 * group, then row. out aliases nothing. 16 columns at a time keep their sums in registers; tails: a
 * vector of fewer columns, the same additions.
 */
import { addressOf, LANES, load, store, VECTOR_BYTES } from './lanes';

const BLOCK_VECTORS: i32 = 4;
const BLOCK_COLUMNS: i32 = BLOCK_VECTORS * LANES;

export function sumRows(
  a: i32,
  aStride: i32,
  aGroupStride: i32,
  groups: i32,
  rows: i32,
  n: i32,
  accumulate: i32,
  out: i32,
): void {
  const stride = addressOf(aStride);
  const groupStride = addressOf(aGroupStride);
  let from = addressOf(a);
  let to = addressOf(out);
  let left = n;
  for (; left >= BLOCK_COLUMNS; left -= BLOCK_COLUMNS) {
    sumBlock(from, stride, groupStride, groups, rows, accumulate, to);
    from += addressOf(BLOCK_COLUMNS);
    to += addressOf(BLOCK_COLUMNS);
  }
  for (; left > 0; left -= LANES) {
    sumVector(from, stride, groupStride, groups, rows, accumulate, to, min(left, LANES));
    from += VECTOR_BYTES;
    to += VECTOR_BYTES;
  }
}

/** 16 columns. Addresses and strides in bytes. */
function sumBlock(
  group: usize,
  stride: usize,
  groupStride: usize,
  groups: i32,
  rows: i32,
  accumulate: i32,
  out: usize,
): void {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  if (accumulate) {
    sum0 = v128.load(out);
    sum1 = v128.load(out, VECTOR_BYTES);
    sum2 = v128.load(out, 2 * VECTOR_BYTES);
    sum3 = v128.load(out, 3 * VECTOR_BYTES);
  }
  for (let g = groups; g > 0; g--) {
    let row = group;
    for (let r = rows; r > 0; r--) {
      sum0 = f32x4.add(sum0, v128.load(row));
      sum1 = f32x4.add(sum1, v128.load(row, VECTOR_BYTES));
      sum2 = f32x4.add(sum2, v128.load(row, 2 * VECTOR_BYTES));
      sum3 = f32x4.add(sum3, v128.load(row, 3 * VECTOR_BYTES));
      row += stride;
    }
    group += groupStride;
  }
  v128.store(out, sum0);
  v128.store(out, sum1, VECTOR_BYTES);
  v128.store(out, sum2, 2 * VECTOR_BYTES);
  v128.store(out, sum3, 3 * VECTOR_BYTES);
}

/** Up to 4 columns. Addresses and strides in bytes. */
function sumVector(
  group: usize,
  stride: usize,
  groupStride: usize,
  groups: i32,
  rows: i32,
  accumulate: i32,
  out: usize,
  count: i32,
): void {
  let sum = accumulate ? load(out, count) : f32x4.splat(0);
  for (let g = groups; g > 0; g--) {
    let row = group;
    for (let r = rows; r > 0; r--) {
      sum = f32x4.add(sum, load(row, count));
      row += stride;
    }
    group += groupStride;
  }
  store(out, sum, count);
}
