/**
 * c (m, n) += aᵀ · b, or =, of one block: both operands packed into scratch, a into panels of 6
 * columns, b into panels of 8, zeros beyond the last column. A register tile of 6 × 8 steps over K
 * as in multiply.ts: every element is a₀b₀ + a₁b₁ + … , added from left to right on top of what
 * stands in c, in every tile.
 *
 * Tails: a tile at the edge of c is computed whole in scratch, on a copy of its part of c.
 * Cache: a panel of a (6 KiB) stays in L1 while the block of b (256 KiB) passes by from L2; c is
 * walked along its rows.
 */
import { addressOf, LANES, load, multiplyAdd, store, VECTOR_BYTES, WORD_BYTES } from './lanes';

/** Columns of a panel of a, and rows of c in a tile. */
export const A_COLUMNS: i32 = 6;
const A_ROW_BYTES: usize = 24;
/** Columns of a panel of b, and columns of c in a tile. */
export const B_COLUMNS: i32 = 8;
const B_ROW_BYTES: usize = 32;

/** Of an operand, packed into one panel after the other. */
const ROWS_TOGETHER: i32 = 8;

/**
 * Rows [first, first + depth) of a (K, columns) operand in groups, as panels of `width` columns (6
 * or 8), each (depth, width), zeros beyond the last column.
 */
export function packBlock(
  width: i32,
  source: i32,
  stride: i32,
  groupStride: i32,
  rows: i32,
  first: i32,
  depth: i32,
  columns: i32,
  panels: usize,
): void {
  const end = first + depth;
  for (let p = first; p < end; ) {
    const count = min(min(rows - (p % rows), end - p), ROWS_TOGETHER);
    const from = addressOf(source + (p / rows) * groupStride + (p % rows) * stride);
    if (width == A_COLUMNS) packRows(A_COLUMNS, from, stride, count, columns, panels, depth);
    else packRows(B_COLUMNS, from, stride, count, columns, panels, depth);
    panels += addressOf(width * count);
    p += count;
  }
}

/**
 * Some rows of an operand into their rows of each panel, a panel at a time: what a line of the cache
 * holds is then read, and written, at once. `width` is a constant wherever this is inlined.
 */
// @ts-ignore: decorator
@inline
function packRows(
  width: i32,
  from: usize,
  stride: i32,
  count: i32,
  columns: i32,
  panel: usize,
  depth: i32,
): void {
  for (let left = columns; left > 0; left -= width) {
    let row = from;
    let to = panel;
    for (let i = 0; i < count; i++) {
      if (left >= width) packPanelRow(width, row, width, to);
      else packPanelRow(width, row, left, to);
      row += addressOf(stride);
      to += addressOf(width);
    }
    from += addressOf(width);
    panel += addressOf(width * depth);
  }
}

// @ts-ignore: decorator
@inline
function packPanelRow(width: i32, row: usize, count: i32, panel: usize): void {
  store(panel, load(row, count), LANES);
  store(panel + VECTOR_BYTES, load(row + VECTOR_BYTES, count - LANES), width - LANES);
}

/** c (m, n) += aᵀ · b, or = where `fresh`, of one packed block. Addresses and strides in bytes. */
export function multiplyBlock(
  a: usize,
  b: usize,
  depth: i32,
  c: usize,
  cStride: usize,
  m: i32,
  n: i32,
  fresh: bool,
  scratchTile: usize,
): void {
  for (let i = 0; i < m; i += A_COLUMNS) {
    let panel = b;
    let tile = c;
    for (let j = 0; j < n; j += B_COLUMNS) {
      const height = min(m - i, A_COLUMNS);
      const width = min(n - j, B_COLUMNS);
      if (height == A_COLUMNS && width == B_COLUMNS) {
        multiplyTile(a, panel, depth, tile, cStride, fresh);
      } else {
        copyTile(tile, cStride, scratchTile, B_ROW_BYTES, height, width);
        multiplyTile(a, panel, depth, scratchTile, B_ROW_BYTES, fresh);
        copyTile(scratchTile, B_ROW_BYTES, tile, cStride, height, width);
      }
      panel += <usize>depth * B_ROW_BYTES;
      tile += B_ROW_BYTES;
    }
    a += <usize>depth * A_ROW_BYTES;
    c += <usize>A_COLUMNS * cStride;
  }
}

function copyTile(
  from: usize,
  fromStride: usize,
  to: usize,
  toStride: usize,
  height: i32,
  width: i32,
): void {
  for (let i = 0; i < height; i++) {
    store(to, load(from, width), width);
    store(to + VECTOR_BYTES, load(from + VECTOR_BYTES, width - LANES), width - LANES);
    from += fromStride;
    to += toStride;
  }
}

/** c (6, 8) += aᵀ · b, or = where `fresh`, a (depth, 6), b (depth, 8). */
function multiplyTile(
  a: usize,
  b: usize,
  depth: i32,
  c0: usize,
  cStride: usize,
  fresh: bool,
): void {
  const c1 = c0 + cStride;
  const c2 = c1 + cStride;
  const c3 = c2 + cStride;
  const c4 = c3 + cStride;
  const c5 = c4 + cStride;
  const zero = f32x4.splat(0);
  let left0 = zero;
  let right0 = zero;
  let left1 = zero;
  let right1 = zero;
  let left2 = zero;
  let right2 = zero;
  let left3 = zero;
  let right3 = zero;
  let left4 = zero;
  let right4 = zero;
  let left5 = zero;
  let right5 = zero;
  if (!fresh) {
    left0 = v128.load(c0);
    right0 = v128.load(c0, VECTOR_BYTES);
    left1 = v128.load(c1);
    right1 = v128.load(c1, VECTOR_BYTES);
    left2 = v128.load(c2);
    right2 = v128.load(c2, VECTOR_BYTES);
    left3 = v128.load(c3);
    right3 = v128.load(c3, VECTOR_BYTES);
    left4 = v128.load(c4);
    right4 = v128.load(c4, VECTOR_BYTES);
    left5 = v128.load(c5);
    right5 = v128.load(c5, VECTOR_BYTES);
  }

  const end = b + <usize>depth * B_ROW_BYTES;
  while (b != end) {
    const left = v128.load(b);
    const right = v128.load(b, VECTOR_BYTES);
    b += B_ROW_BYTES;
    let x = v128.load32_splat(a);
    left0 = multiplyAdd(x, left, left0);
    right0 = multiplyAdd(x, right, right0);
    x = v128.load32_splat(a, WORD_BYTES);
    left1 = multiplyAdd(x, left, left1);
    right1 = multiplyAdd(x, right, right1);
    x = v128.load32_splat(a, 2 * WORD_BYTES);
    left2 = multiplyAdd(x, left, left2);
    right2 = multiplyAdd(x, right, right2);
    x = v128.load32_splat(a, 3 * WORD_BYTES);
    left3 = multiplyAdd(x, left, left3);
    right3 = multiplyAdd(x, right, right3);
    x = v128.load32_splat(a, 4 * WORD_BYTES);
    left4 = multiplyAdd(x, left, left4);
    right4 = multiplyAdd(x, right, right4);
    x = v128.load32_splat(a, 5 * WORD_BYTES);
    left5 = multiplyAdd(x, left, left5);
    right5 = multiplyAdd(x, right, right5);
    a += A_ROW_BYTES;
  }

  v128.store(c0, left0);
  v128.store(c0, right0, VECTOR_BYTES);
  v128.store(c1, left1);
  v128.store(c1, right1, VECTOR_BYTES);
  v128.store(c2, left2);
  v128.store(c2, right2, VECTOR_BYTES);
  v128.store(c3, left3);
  v128.store(c3, right3, VECTOR_BYTES);
  v128.store(c4, left4);
  v128.store(c4, right4, VECTOR_BYTES);
  v128.store(c5, left5);
  v128.store(c5, right5, VECTOR_BYTES);
}
