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

/** A block of a, cut into tiles. The rows of a tile are stored in order as whole vectors: what one spills, the next overwrites. */
inline void packTiles(const RowBlock& a, float* packed) {
  const Size length = tileLength(a.rows.depth);
  RowCursor cursor(a.operand, a.rows.first);
  RowCursor ahead(a.operand, a.rows.first + PREFETCHED_ROWS);
  for (Size p = 0; p < a.rows.depth; p++) {
    prefetchRow<3>(ahead.row(), a.columns);
    float* to = packed + p * TILE_ROWS;
    Size column = 0;
    for (; column + WIDTH <= a.columns; column += TILE_ROWS) {
      store(to, load(cursor.row() + column));
      to += length;
    }
    for (; column < a.columns; column += TILE_ROWS) {
      store(to, load(cursor.row() + column, firstLanes(a.columns - column)));
      to += length;
    }
    cursor.advance();
    ahead.advance();
  }
}

}  // namespace threadloom::THREADLOOM_PATH
