/**
 * How multiplyTransposed packs its operands, both of them rows in groups: b by lanes, [block][panel][index in
 * block][PANEL], a by blocks, [tile][index in block][TILE_ROWS].
 */
#pragma once

#include "grouped-rows.h"

namespace threadloom::THREADLOOM_PATH {

/**
 * Words after a tile or a row of sums: what the last store of a whole vector spills, and a line against cache
 * conflicts.
 */
constexpr Size GAP = 16;

/** Words of a packed tile. */
inline Size tileLength(Size depth) { return depth * TILE_ROWS + GAP; }

/** A block of b, row by row into all panels. */
inline void packPanels(const RowBlock& b, float* packed) {
  const Size columns = b.columns;
  const Size panelLength = b.rows.depth * PANEL;
  RowCursor cursor(b.operand, b.rows.first);
  RowCursor ahead(b.operand, b.rows.first + PREFETCHED_ROWS);
  for (Size p = 0; p < b.rows.depth; p++) {
    prefetchRow<3>(ahead.row(), columns);
    float* to = packed + p * PANEL;
    Size column = 0;
    for (; column + PANEL <= columns; column += PANEL) {
      for (Size v = 0; v < PANEL; v += WIDTH) store(to + v, load(cursor.row() + column + v));
      to += panelLength;
    }
    if (column < columns) packPanelRow(cursor.row() + column, columns - column, to);
    cursor.advance();
    ahead.advance();
  }
}

/** `columns` columns of b, all blocks of a lane. */
inline void packLane(const GroupedRows& b, Size k, Size columns, float* packed) {
  const Size panels = ceilingDivide(columns, PANEL);
  for (Size index = 0; index < countBlocks(k); index++) {
    const Block block = blockOf(index, k);
    packPanels({b, block, columns}, packed + packedOffset(block, 0, panels));
  }
}

/** TILE_ROWS elements of each of some rows of a into a tile. A vector may hold more: what one row spills, the next overwrites. */
template <Size ROWS>
inline void packTileRows(const float* const (&rows)[ROWS], Size column, float* to) {
  Size r = 0;
#if !defined(__AVX512F__)
  for (; r + 2 <= ROWS; r += 2) {
    store(to + r * TILE_ROWS, loadHalves(rows[r] + column, rows[r + 1] + column));
  }
#endif
  for (; r < ROWS; r++) store(to + r * TILE_ROWS, load(rows[r] + column));
}

/** The next rows of a into tiles that are `length` words apart, `to` in the first of them. */
template <Size ROWS>
inline void packNextRows(RowCursor& cursor, RowCursor& ahead, Size columns, Size length, float* to) {
  const float* rows[ROWS];
  for (Size r = 0; r < ROWS; r++) {
    prefetchRow<3>(ahead.row(), columns);
    ahead.advance();
    rows[r] = cursor.row();
    cursor.advance();
  }
  Size column = 0;
  for (; column + WIDTH <= columns; column += TILE_ROWS) {
    packTileRows(rows, column, to);
    to += length;
  }
  for (; column < columns; column += TILE_ROWS) {
    const Lanes lanes = firstLanes(columns - column);
    for (Size r = 0; r < ROWS; r++) store(to + r * TILE_ROWS, load(rows[r] + column, lanes));
    to += length;
  }
}

/** A block of a, cut into tiles. */
inline void packTiles(const RowBlock& a, float* packed) {
  const Size length = tileLength(a.rows.depth);
  RowCursor cursor(a.operand, a.rows.first);
  RowCursor ahead(a.operand, a.rows.first + PREFETCHED_ROWS);
  Size p = 0;
  for (; p + ROWS_TOGETHER <= a.rows.depth; p += ROWS_TOGETHER) {
    packNextRows<ROWS_TOGETHER>(cursor, ahead, a.columns, length, packed + p * TILE_ROWS);
  }
  for (; p < a.rows.depth; p++) {
    packNextRows<1>(cursor, ahead, a.columns, length, packed + p * TILE_ROWS);
  }
}

}  // namespace threadloom::THREADLOOM_PATH
