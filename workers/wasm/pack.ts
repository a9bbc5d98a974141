/**
 * The packed form of a (k, n) matrix: panels of 8 columns, one behind the other, each (k, 8)
 * row-major, so that a register tile reads it as one stream. Columns beyond n are zeros in the last
 * panel.
 */
import { addressOf, LANES, load, VECTOR_BYTES } from './lanes';

export const PANEL_COLUMNS: i32 = 8;
/** Bytes of one row of a panel. */
export const PANEL_ROW_BYTES: usize = 32;

export function packedLength(k: i32, n: i32): i32 {
  return k * ((n + PANEL_COLUMNS - 1) / PANEL_COLUMNS) * PANEL_COLUMNS;
}

/**
 * Packs rows [firstRow, firstRow + rows) of columns [firstColumn, firstColumn + columns) of b (k,
 * n): b[i, j] is source[i · stride + j], or source[j · stride + i] where `transposed`. firstColumn
 * is a multiple of 8; packed aliases nothing.
 */
export function pack(
  source: i32,
  stride: i32,
  transposed: i32,
  k: i32,
  n: i32,
  firstRow: i32,
  rows: i32,
  firstColumn: i32,
  columns: i32,
  packed: i32,
): void {
  const end = firstColumn + columns;
  for (let j = firstColumn; j < end; j += PANEL_COLUMNS) {
    const panel = addressOf(packed + j * k + firstRow * PANEL_COLUMNS);
    const width = min(PANEL_COLUMNS, n - j);
    if (transposed) {
      const from = addressOf(source + j * stride + firstRow);
      packPanelTransposed(from, stride, rows, width, panel);
    } else {
      packPanel(addressOf(source + firstRow * stride + j), stride, rows, width, panel);
    }
  }
}

/** panel (rows, 8) = `width` columns of a row-major matrix, then zeros. */
function packPanel(source: usize, stride: i32, rows: i32, width: i32, panel: usize): void {
  const strideBytes = addressOf(stride);
  for (let p = 0; p < rows; p++) {
    v128.store(panel, load(source, width));
    v128.store(panel, load(source + VECTOR_BYTES, width - LANES), VECTOR_BYTES);
    source += strideBytes;
    panel += PANEL_ROW_BYTES;
  }
}

/** panel (rows, 8) = `width` rows of a row-major matrix as columns, then zeros. */
function packPanelTransposed(
  source: usize,
  stride: i32,
  rows: i32,
  width: i32,
  panel: usize,
): void {
  packHalfTransposed(source, stride, rows, min(width, LANES), panel);
  packHalfTransposed(
    source + addressOf(LANES * stride),
    stride,
    rows,
    width - LANES,
    panel + VECTOR_BYTES,
  );
}

/** Four columns of a panel from up to four rows: 4 × 4 blocks are turned in registers. */
function packHalfTransposed(source: usize, stride: i32, rows: i32, width: i32, half: usize): void {
  const row1 = addressOf(stride);
  const row2 = row1 * 2;
  const row3 = row1 * 3;
  for (let p = rows; p > 0; p -= LANES) {
    const count = min(p, LANES);
    const a = load(source, width > 0 ? count : 0);
    const b = load(source + row1, width > 1 ? count : 0);
    const c = load(source + row2, width > 2 ? count : 0);
    const d = load(source + row3, width > 3 ? count : 0);
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(half, v128.shuffle<f64>(abLow, cdLow, 0, 2));
    if (count > 1) v128.store(half, v128.shuffle<f64>(abLow, cdLow, 1, 3), PANEL_ROW_BYTES);
    if (count > 2) v128.store(half, v128.shuffle<f64>(abHigh, cdHigh, 0, 2), 2 * PANEL_ROW_BYTES);
    if (count > 3) v128.store(half, v128.shuffle<f64>(abHigh, cdHigh, 1, 3), 3 * PANEL_ROW_BYTES);
    source += VECTOR_BYTES;
    half += <usize>LANES * PANEL_ROW_BYTES;
  }
}
