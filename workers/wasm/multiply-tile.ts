/**
 * The register tiles of multiply.ts: c (rows, 8) = start + a (rows, k) · panel (k, 8), rows 1 to 6,
 * of which only the first `columns` columns are read and written. Addresses and strides in bytes.
 *
 * A tile keeps its sums in 12 vectors. A step over k loads a row of the panel, spreads one number
 * of each row of a over a vector, and multiplies and adds. So each element of c is start + a₀b₀ +
 * a₁b₁ + … , added from left to right, in every tile.
 *
 * Tails: the columns that the last panel lacks are computed on its zeros and not stored.
 */
import { LANES, load, multiplyAdd, store, VECTOR_BYTES, WORD_BYTES } from './lanes';
import { PANEL_ROW_BYTES } from './pack';

export const TILE_ROWS: i32 = 6;

/** How c begins, as in the contract: 0 at zero, else at the bias or at what stands in c. */
const START_BIAS: i32 = 1;
export const START_ACCUMULATE: i32 = 2;

export function tile6(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  tile(6, a, aStride, panel, c, cStride, k, columns, start, bias);
}

export function tile5(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  tile(5, a, aStride, panel, c, cStride, k, columns, start, bias);
}

export function tile4(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  tile(4, a, aStride, panel, c, cStride, k, columns, start, bias);
}

export function tile3(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  tile(3, a, aStride, panel, c, cStride, k, columns, start, bias);
}

export function tile2(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  tile(2, a, aStride, panel, c, cStride, k, columns, start, bias);
}

export function tile1(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  tile(1, a, aStride, panel, c, cStride, k, columns, start, bias);
}

/**
 * One register tile. `rows` is a constant wherever this is inlined, so that each of the tiles above
 * keeps its own rows' lines alone. Longer steps would be slower: the engine's compiler would run
 * each sum through the whole step and spill the others.
 */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  a0: usize,
  aStride: usize,
  panel: usize,
  c0: usize,
  cStride: usize,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  let a1 = a0 + aStride;
  let a2 = a1 + aStride;
  let a3 = a2 + aStride;
  let a4 = a3 + aStride;
  let a5 = a4 + aStride;
  const c1 = c0 + cStride;
  const c2 = c1 + cStride;
  const c3 = c2 + cStride;
  const c4 = c3 + cStride;
  const c5 = c4 + cStride;

  let left0 = f32x4.splat(0);
  let right0 = left0;
  if (start == START_BIAS) {
    left0 = load(bias, columns);
    right0 = load(bias + VECTOR_BYTES, columns - LANES);
  }
  let left1 = left0;
  let right1 = right0;
  let left2 = left0;
  let right2 = right0;
  let left3 = left0;
  let right3 = right0;
  let left4 = left0;
  let right4 = right0;
  let left5 = left0;
  let right5 = right0;
  if (start == START_ACCUMULATE) {
    left0 = load(c0, columns);
    right0 = load(c0 + VECTOR_BYTES, columns - LANES);
    if (rows > 1) {
      left1 = load(c1, columns);
      right1 = load(c1 + VECTOR_BYTES, columns - LANES);
    }
    if (rows > 2) {
      left2 = load(c2, columns);
      right2 = load(c2 + VECTOR_BYTES, columns - LANES);
    }
    if (rows > 3) {
      left3 = load(c3, columns);
      right3 = load(c3 + VECTOR_BYTES, columns - LANES);
    }
    if (rows > 4) {
      left4 = load(c4, columns);
      right4 = load(c4 + VECTOR_BYTES, columns - LANES);
    }
    if (rows > 5) {
      left5 = load(c5, columns);
      right5 = load(c5 + VECTOR_BYTES, columns - LANES);
    }
  }

  const end = panel + <usize>k * PANEL_ROW_BYTES;
  while (panel != end) {
    const left = v128.load(panel);
    const right = v128.load(panel, VECTOR_BYTES);
    panel += PANEL_ROW_BYTES;
    let x = v128.load32_splat(a0);
    left0 = multiplyAdd(x, left, left0);
    right0 = multiplyAdd(x, right, right0);
    a0 += WORD_BYTES;
    if (rows > 1) {
      x = v128.load32_splat(a1);
      left1 = multiplyAdd(x, left, left1);
      right1 = multiplyAdd(x, right, right1);
      a1 += WORD_BYTES;
    }
    if (rows > 2) {
      x = v128.load32_splat(a2);
      left2 = multiplyAdd(x, left, left2);
      right2 = multiplyAdd(x, right, right2);
      a2 += WORD_BYTES;
    }
    if (rows > 3) {
      x = v128.load32_splat(a3);
      left3 = multiplyAdd(x, left, left3);
      right3 = multiplyAdd(x, right, right3);
      a3 += WORD_BYTES;
    }
    if (rows > 4) {
      x = v128.load32_splat(a4);
      left4 = multiplyAdd(x, left, left4);
      right4 = multiplyAdd(x, right, right4);
      a4 += WORD_BYTES;
    }
    if (rows > 5) {
      x = v128.load32_splat(a5);
      left5 = multiplyAdd(x, left, left5);
      right5 = multiplyAdd(x, right, right5);
      a5 += WORD_BYTES;
    }
  }

  storeRow(c0, left0, right0, columns);
  if (rows > 1) storeRow(c1, left1, right1, columns);
  if (rows > 2) storeRow(c2, left2, right2, columns);
  if (rows > 3) storeRow(c3, left3, right3, columns);
  if (rows > 4) storeRow(c4, left4, right4, columns);
  if (rows > 5) storeRow(c5, left5, right5, columns);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, left: v128, right: v128, columns: i32): void {
  store(c, left, columns);
  store(c + VECTOR_BYTES, right, columns - LANES);
}
