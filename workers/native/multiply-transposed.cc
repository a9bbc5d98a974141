/**
 * c (m, n) = (accumulate ? c : 0) + aᵀ · b, a (groups·rows, m), b (groups·rows, n): K runs over the rows
 * in order of group, then row. c and scratch alias nothing; tiles at the right edge are masked. Error of
 * an element: at most groups·rows roundings of a fused multiply-add.
 *
 * Scratch holds a block of both operands, one panel of b, [index in block][PANEL], and tiles of a,
 * [tile][index in block][TILE_ROWS], because rows that are a power of two apart would evict each other
 * from the cache.
 */
#include "operations.h"
#include "tile.h"

namespace threadloom::THREADLOOM_PATH {

/** Tiles of a that are packed at a time: with MAXIMUM_DEPTH about 500 KiB, half of a second-level cache. */
constexpr Size TILES_TOGETHER = 504 / TILE_ROWS;
/** Words after a tile: what the last store of a whole vector spills, and a line against cache conflicts. */
constexpr Size TILE_GAP = 16;

/** Rows in order of group, then row. */
struct GroupedRows {
  const float* first;
  Size stride;
  Size groupStride;
  Size rows;

  const float* at(Size index) const {
    return first + (index / rows) * groupStride + (index % rows) * stride;
  }
};

static Size tileLength(Size depth) { return depth * TILE_ROWS + TILE_GAP; }

Size scratchLength(Size groups, Size rows, Size m, Size) {
  const Size depth = lesser(groups * rows, MAXIMUM_DEPTH);
  return depth * PANEL + lesser(ceilingDivide(m, TILE_ROWS), TILES_TOGETHER) * tileLength(depth);
}

/** `columns` columns of b in a block, padded with zeros to a panel. */
static void packPanel(const GroupedRows& b, Block block, Size columns, float* panel) {
  const Lanes low = firstLanes(lesser(columns, WIDTH));
  const Lanes high = firstLanes(columns < WIDTH ? 0 : columns - WIDTH);
  for (Size p = 0; p < block.depth; p++) {
    const float* row = b.at(block.first + p);
    store(panel + p * PANEL, load(row, low));
    store(panel + p * PANEL + WIDTH, load(row + WIDTH, high));
  }
}

/**
 * `columns` columns of a in a block, cut into tiles. A whole vector is stored for each row of a tile, in
 * order.
 */
static void packTiles(const GroupedRows& a, Block block, Size columns, Size tiles, float* packed) {
  for (Size p = 0; p < block.depth; p++) {
    const float* row = a.at(block.first + p);
    float* to = packed + p * TILE_ROWS;
    Size column = 0;
    for (Size tile = 1; tile <= tiles; tile++) {
      const Size end = firstOfPart(tile, tiles, columns);
      store(to, load(row + column, firstLanes(end - column)));
      to += tileLength(block.depth);
      column = end;
    }
  }
}

/** One panel of c: `rows` rows in `tiles` tiles, `tile` being the first. */
static void multiplyPanel(Tile tile, Size rows, Size tiles) {
  tile.upcomingStep = TILE_ROWS;
  Size row = 0;
  for (Size index = 1; index <= tiles; index++) {
    const Size count = firstOfPart(index, tiles, rows) - row;
    tile.upcoming = tile.a + tileLength(tile.depth);
    multiplyRows<1, TILE_ROWS>(count, tile);
    row += count;
    tile.a = tile.upcoming;
    tile.c += count * tile.cStride;
    if (tile.start) tile.start = tile.c;
  }
}

void multiplyTransposed(const float* a, Size aStride, Size aGroupStride, const float* b, Size bStride,
                        Size bGroupStride, Size groups, Size rows, float* c, Size cStride, Size m,
                        Size n, Size accumulate, float* scratch) {
  const Size k = groups * rows;
  const Size parts = ceilingDivide(m, TILES_TOGETHER * TILE_ROWS);
  for (Size index = 0; index < countBlocks(k); index++) {
    const Block block = blockOf(index, k);
    float* panel = scratch;
    float* packed = scratch + block.depth * PANEL;
    for (Size part = 0; part < parts; part++) {
      const Size row = firstOfPart(part, parts, m);
      const Size count = firstOfPart(part + 1, parts, m) - row;
      const Size tiles = ceilingDivide(count, TILE_ROWS);
      packTiles({a + row, aStride, aGroupStride, rows}, block, count, tiles, packed);
      for (Size column = 0; column < n; column += PANEL) {
        Tile tile{};
        tile.a = packed;
        tile.b = panel;
        tile.depth = block.depth;
        tile.c = c + row * cStride + column;
        tile.cStride = cStride;
        tile.columns = lesser(n - column, PANEL);
        if (index > 0 || accumulate) tile.start = tile.c;
        tile.startStride = cStride;
        packPanel({b + column, bStride, bGroupStride, rows}, block, tile.columns, panel);
        multiplyPanel(tile, count, tiles);
      }
    }
  }
}

}  // namespace threadloom::THREADLOOM_PATH
