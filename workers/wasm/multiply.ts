/**
 * c (m, n) = start + a (m, k) · b (k, n), b in panels of 8 columns (see pack.ts). c aliases none.
 *
 * Register tiles (multiply-tile.ts) add each element of c as start + a₀b₀ + a₁b₁ + … from left to
 * right. A block over k continues from what the block before stored in c, which changes no bit.
 *
 * Tails: m is divided evenly into tiles of at most 6 rows; the last panel stores what is in c.
 * Cache: a k block of a panel (8 KiB) stays in L1 while a block of rows (120 KiB of a) passes by.
 * Source: Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008).
 */
import { addressOf } from './lanes';
import {
  START_ACCUMULATE,
  tile1,
  tile2,
  tile3,
  tile4,
  tile5,
  tile6,
  TILE_ROWS,
} from './multiply-tile';
import { PANEL_COLUMNS } from './pack';

const BLOCK_ROWS: i32 = 120;
const BLOCK_DEPTH: i32 = 256;

export function multiply(
  a: i32,
  aStride: i32,
  packed: i32,
  c: i32,
  cStride: i32,
  m: i32,
  k: i32,
  n: i32,
  start: i32,
  bias: i32,
): void {
  let p = 0;
  do {
    const depth = min(k - p, BLOCK_DEPTH);
    const blockStart = p == 0 ? start : START_ACCUMULATE;
    for (let i = 0; i < m; i += BLOCK_ROWS) {
      for (let j = 0; j < n; j += PANEL_COLUMNS) {
        multiplyPanel(
          addressOf(a + i * aStride + p),
          addressOf(aStride),
          addressOf(packed + j * k + p * PANEL_COLUMNS),
          addressOf(c + i * cStride + j),
          addressOf(cStride),
          min(m - i, BLOCK_ROWS),
          depth,
          min(n - j, PANEL_COLUMNS),
          blockStart,
          addressOf(bias + j),
        );
      }
    }
    p += BLOCK_DEPTH;
  } while (p < k);
}

/** c (m, columns) = start + a (m, k) · panel (k, columns). Addresses and strides in bytes. */
function multiplyPanel(
  a: usize,
  aStride: usize,
  panel: usize,
  c: usize,
  cStride: usize,
  m: i32,
  k: i32,
  columns: i32,
  start: i32,
  bias: usize,
): void {
  let left = m;
  for (let tiles = (m + TILE_ROWS - 1) / TILE_ROWS; tiles > 0; tiles--) {
    const rows = (left + tiles - 1) / tiles;
    if (rows == 6) tile6(a, aStride, panel, c, cStride, k, columns, start, bias);
    else if (rows == 5) tile5(a, aStride, panel, c, cStride, k, columns, start, bias);
    else if (rows == 4) tile4(a, aStride, panel, c, cStride, k, columns, start, bias);
    else if (rows == 3) tile3(a, aStride, panel, c, cStride, k, columns, start, bias);
    else if (rows == 2) tile2(a, aStride, panel, c, cStride, k, columns, start, bias);
    else tile1(a, aStride, panel, c, cStride, k, columns, start, bias);
    a += <usize>rows * aStride;
    c += <usize>rows * cStride;
    left -= rows;
  }
}
