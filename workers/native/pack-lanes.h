/**
 * How multiplyTransposed packs its operands, both of them rows in groups: b by lanes, [block][panel][index in
 * block][PANEL], a by blocks, [tile][index in block][TILE_ROWS].
 */
#pragma once

#include "panels.h"

namespace threadloom::THREADLOOM_PATH {

/**
 * Words after a tile or a row of sums: what the last store of a whole vector spills, and a line against cache
 * conflicts.
 */
constexpr Size GAP = 16;
constexpr Size PREFETCHED_ROWS = 8;

/** An operand's rows in order of group, then row. */
struct GroupedRows {
  const float* first;
  Size stride;
  Size groupStride;
  /** At least 1 where a row is read. */
  Size rows;
};

/** Walks along the rows of an operand: a division a row would cost as much as copying it. */
class RowCursor {
 public:
  RowCursor(const GroupedRows& operand, Size index) : operand_(operand) {
    const Size group = operand.rows > 0 ? index / operand.rows : 0;
    const Size row = index - group * operand.rows;
    row_ = operand.first + group * operand.groupStride + row * operand.stride;
    left_ = operand.rows - row;
  }

  const float* row() const { return row_; }

  void advance() {
    row_ += operand_.stride;
    if (--left_ > 0) return;
    row_ += operand_.groupStride - operand_.rows * operand_.stride;
    left_ = operand_.rows;
  }

 private:
  const GroupedRows& operand_;
  const float* row_;
  Size left_;
};

/** Words of a packed tile. */
inline Size tileLength(Size depth) { return depth * TILE_ROWS + GAP; }

/** A row is too short for the processor to foresee the next. */
inline void prefetchRow(const float* row, Size length) {
  for (Size i = 0; i < length; i += LINE) __builtin_prefetch(row + i);
}

/** `columns` columns of b in a block, row by row into all panels. */
inline void packPanels(const GroupedRows& b, Block block, Size columns, float* packed) {
  const Size panelLength = block.depth * PANEL;
  RowCursor cursor(b, block.first);
  RowCursor ahead(b, block.first + PREFETCHED_ROWS);
  for (Size p = 0; p < block.depth; p++) {
    prefetchRow(ahead.row(), columns);
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
    packPanels(b, block, columns, packed + packedOffset(block, 0, panels));
  }
}

/**
 * The first `rows` columns of a in a block, cut into tiles. The rows of a tile are stored in order as whole vectors: what
 * one spills, the next overwrites.
 */
inline void packTiles(const GroupedRows& a, Block block, Size rows, float* packed) {
  RowCursor cursor(a, block.first);
  RowCursor ahead(a, block.first + PREFETCHED_ROWS);
  for (Size p = 0; p < block.depth; p++) {
    prefetchRow(ahead.row(), rows);
    float* to = packed + p * TILE_ROWS;
    Size row = 0;
    for (; row + WIDTH <= rows; row += TILE_ROWS) {
      store(to, load(cursor.row() + row));
      to += tileLength(block.depth);
    }
    for (; row < rows; row += TILE_ROWS) {
      store(to, load(cursor.row() + row, firstLanes(rows - row)));
      to += tileLength(block.depth);
    }
    cursor.advance();
    ahead.advance();
  }
}

}  // namespace threadloom::THREADLOOM_PATH
