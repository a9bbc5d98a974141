/**
 * How multiplyTransposed packs its operands, both of them rows in groups: b by lanes, [block][panel][index in
 * block][PANEL], a by blocks, [tile][index in block][TILE_ROWS].
 */
#pragma once

#include "panels.h"

namespace threadloom::THREADLOOM_PATH {

/** Tiles that are packed together at most. */
constexpr Size PIECE_TILES = 14;
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

/**
 * `columns` columns of b in a block, padded with zeros to a panel. A row is too short for the processor to
 * foresee the next: it is prefetched.
 */
inline void packPanel(const GroupedRows& b, Block block, Size columns, float* panel) {
  const Lanes low = firstLanes(lesser(columns, WIDTH));
  const Lanes high = firstLanes(columns < WIDTH ? 0 : columns - WIDTH);
  RowCursor cursor(b, block.first);
  RowCursor ahead(b, block.first + PREFETCHED_ROWS);
  for (Size p = 0; p < block.depth; p++) {
    __builtin_prefetch(ahead.row());
    __builtin_prefetch(ahead.row() + WIDTH);
    store(panel + p * PANEL, load(cursor.row(), low));
    store(panel + p * PANEL + WIDTH, load(cursor.row() + WIDTH, high));
    cursor.advance();
    ahead.advance();
  }
}

/** `columns` columns of b, all blocks of a lane. */
inline void packLane(const GroupedRows& b, Size k, Size columns, float* packed) {
  const Size panels = ceilingDivide(columns, PANEL);
  for (Size index = 0; index < countBlocks(k); index++) {
    const Block block = blockOf(index, k);
    for (Size panel = 0; panel < panels; panel++) {
      const Size column = panel * PANEL;
      packPanel({b.first + column, b.stride, b.groupStride, b.rows}, block,
                lesser(columns - column, PANEL), packed + packedOffset(block, panel, panels));
    }
  }
}

/**
 * The first `rows` columns of a in a block, cut into at most PIECE_TILES tiles. The rows of a tile are stored in order as
 * whole vectors: what one spills, the next overwrites.
 */
inline void packTiles(const GroupedRows& a, Block block, Size rows, Size tiles, float* packed) {
  Size firsts[PIECE_TILES];
  Lanes lanes[PIECE_TILES];
  for (Size tile = 0; tile < tiles; tile++) {
    firsts[tile] = firstOfPart(tile, tiles, rows);
    lanes[tile] = firstLanes(lesser(rows - firsts[tile], WIDTH));
  }
  RowCursor cursor(a, block.first);
  RowCursor ahead(a, block.first + PREFETCHED_ROWS);
  for (Size p = 0; p < block.depth; p++) {
    float* to = packed + p * TILE_ROWS;
    for (Size tile = 0; tile < tiles; tile++) {
      __builtin_prefetch(ahead.row() + firsts[tile]);
      store(to, load(cursor.row() + firsts[tile], lanes[tile]));
      to += tileLength(block.depth);
    }
    cursor.advance();
    ahead.advance();
  }
}

}  // namespace threadloom::THREADLOOM_PATH
