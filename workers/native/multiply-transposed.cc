/**
 * c (m, n) = (accumulate ? c : 0) + Σ over lanes of aᵀ · b, a (groups·rows, m), b (groups·rows, n): within a
 * lane K runs over its rows in order of group, then row; the lanes are added as the tree of
 * src/reduce/tree.ts. c and scratch alias nothing; tiles at the right edge are masked. Error of an
 * element: at most groups·rows roundings of a fused multiply-add, and one for each level of the tree.
 *
 * c is computed in pieces that fit the second-level cache, with all lanes of a piece one after the other:
 * what a lane adds to is still near. Scratch holds a block of both operands, one panel of b, [index in
 * block][PANEL], and tiles of a, [tile][index in block][TILE_ROWS], because rows that are a power of two
 * apart would evict each other from the cache; and the sums of the piece that wait for their right
 * neighbour in the tree.
 */
#include "lane-counter.h"
#include "operations.h"
#include "tile.h"

namespace threadloom::THREADLOOM_PATH {

/** Rows and columns of a piece of c: with MAXIMUM_DEPTH its tiles of a take about 250 KiB, its sums 500. */
constexpr Size PIECE_TILES = 252 / TILE_ROWS;
constexpr Size PIECE_ROWS = PIECE_TILES * TILE_ROWS;
constexpr Size PIECE_COLUMNS = 512;
/** Words after a tile: what the last store of a whole vector spills, and a line against cache conflicts. */
constexpr Size TILE_GAP = 16;
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

/** A piece of c, its rows in `tiles` tiles. */
struct Piece {
  Size rows;
  Size tiles;
  Size columns;
};

static Size tileLength(Size depth) { return depth * TILE_ROWS + TILE_GAP; }

Size scratchLength(Size groups, Size rows, Size lanes, Size m, Size) {
  const Size depth = lesser(groups * rows, MAXIMUM_DEPTH);
  const Size tiles = lesser(ceilingDivide(m, TILE_ROWS), PIECE_TILES);
  const Size sums = lesser(m, PIECE_ROWS) * PIECE_COLUMNS;
  return countLevels(lanes) * sums + depth * PANEL + tiles * tileLength(depth);
}

/**
 * `columns` columns of b in a block, padded with zeros to a panel. A row is too short for the processor to
 * foresee the next: it is prefetched.
 */
static void packPanel(const GroupedRows& b, Block block, Size columns, float* panel) {
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

/**
 * The columns of a that a piece needs in a block, cut into tiles. The rows of a tile are stored in order as
 * whole vectors: what one spills, the next overwrites.
 */
static void packTiles(const GroupedRows& a, Block block, const Piece& piece, float* packed) {
  Size firsts[PIECE_TILES];
  Lanes lanes[PIECE_TILES];
  for (Size tile = 0; tile < piece.tiles; tile++) {
    firsts[tile] = firstOfPart(tile, piece.tiles, piece.rows);
    lanes[tile] = firstLanes(lesser(piece.rows - firsts[tile], WIDTH));
  }
  RowCursor cursor(a, block.first);
  RowCursor ahead(a, block.first + PREFETCHED_ROWS);
  for (Size p = 0; p < block.depth; p++) {
    float* to = packed + p * TILE_ROWS;
    for (Size tile = 0; tile < piece.tiles; tile++) {
      __builtin_prefetch(ahead.row() + firsts[tile]);
      store(to, load(cursor.row() + firsts[tile], lanes[tile]));
      to += tileLength(block.depth);
    }
    cursor.advance();
    ahead.advance();
  }
}

/** One panel of the piece, `tile` being the first; `addends` are moved along with it. */
static void multiplyPanel(Tile tile, const Piece& piece, Addend* addends) {
  tile.upcomingStep = TILE_ROWS;
  tile.addends = addends;
  Size row = 0;
  for (Size index = 1; index <= piece.tiles; index++) {
    const Size count = firstOfPart(index, piece.tiles, piece.rows) - row;
    tile.upcoming = tile.a + tileLength(tile.depth);
    multiplyRows<1, TILE_ROWS>(count, tile);
    row += count;
    tile.a = tile.upcoming;
    tile.c += count * tile.cStride;
    if (tile.start) tile.start += count * tile.startStride;
    for (Size i = 0; i < tile.addendCount; i++) addends[i].at += count * addends[i].stride;
  }
}

/** Where a lane's sums of a piece go, and what is added to them on the way. */
struct Destination {
  float* c;
  Size stride;
  Addend addends[MAXIMUM_LEVELS + 1];
  Size addendCount;

  void add(const float* at, Size addendStride) { addends[addendCount++] = {at, addendStride}; }
};

/** All blocks of one lane. What they sum up to stands in `between`, (rows of the piece, PIECE_COLUMNS). */
static void multiplyLane(const GroupedRows& a, const GroupedRows& b, Size k, const Piece& piece,
                         float* between, const Destination& destination, float* operands) {
  const Size blocks = countBlocks(k);
  for (Size index = 0; index < blocks; index++) {
    const Block block = blockOf(index, k);
    const bool isLast = index + 1 == blocks;
    float* panel = operands;
    float* packed = operands + block.depth * PANEL;
    packTiles(a, block, piece, packed);
    for (Size column = 0; column < piece.columns; column += PANEL) {
      Tile tile{};
      tile.a = packed;
      tile.b = panel;
      tile.depth = block.depth;
      tile.c = (isLast ? destination.c : between) + column;
      tile.cStride = isLast ? destination.stride : PIECE_COLUMNS;
      tile.columns = lesser(piece.columns - column, PANEL);
      tile.start = index > 0 ? between + column : nullptr;
      tile.startStride = PIECE_COLUMNS;
      tile.addendCount = isLast ? destination.addendCount : 0;
      Addend addends[MAXIMUM_LEVELS + 1];
      for (Size i = 0; i < tile.addendCount; i++) {
        addends[i] = {destination.addends[i].at + column, destination.addends[i].stride};
      }
      packPanel({b.first + column, b.stride, b.groupStride, b.rows}, block, tile.columns, panel);
      multiplyPanel(tile, piece, addends);
    }
  }
}

/** The sum of lane `index` and of what it completes: into a waiting sum, or into c. */
static Destination destinationOf(Size index, Size lanes, const Piece& piece, float* c, Size cStride,
                                 bool accumulate, float* sums) {
  const Size length = piece.rows * PIECE_COLUMNS;
  const Size waiting = countWaiting(index);
  const Size completed = countCompleted(index, lanes);
  Destination destination{};
  for (Size i = 1; i <= completed; i++) destination.add(sums + (waiting - i) * length, PIECE_COLUMNS);
  if (index + 1 < lanes) {
    destination.c = sums + (waiting - completed) * length;
    destination.stride = PIECE_COLUMNS;
  } else {
    destination.c = c;
    destination.stride = cStride;
    if (accumulate) destination.add(c, cStride);
  }
  return destination;
}

void multiplyTransposed(const float* a, Size aStride, Size aGroupStride, const float* b, Size bStride,
                        Size bGroupStride, Size groups, const std::int32_t* laneRows, Size lanes,
                        float* c, Size cStride, Size m, Size n, Size accumulate, float* scratch) {
  const Size parts = ceilingDivide(m, PIECE_ROWS);
  for (Size part = 0; part < parts; part++) {
    Piece piece{};
    const Size row = firstOfPart(part, parts, m);
    piece.rows = firstOfPart(part + 1, parts, m) - row;
    piece.tiles = ceilingDivide(piece.rows, TILE_ROWS);
    float* operands = scratch + countLevels(lanes) * piece.rows * PIECE_COLUMNS;
    for (Size column = 0; column < n; column += PIECE_COLUMNS) {
      piece.columns = lesser(n - column, PIECE_COLUMNS);
      GroupedRows aLane{a + row, aStride, aGroupStride, 0};
      GroupedRows bLane{b + column, bStride, bGroupStride, 0};
      for (Size lane = 0; lane < lanes; lane++) {
        const Destination destination = destinationOf(
            lane, lanes, piece, c + row * cStride + column, cStride, accumulate, scratch);
        float* between = scratch + countWaiting(lane) * piece.rows * PIECE_COLUMNS;
        aLane.rows = bLane.rows = laneRows[lane];
        multiplyLane(aLane, bLane, groups * laneRows[lane], piece, between, destination, operands);
        aLane.first += laneRows[lane] * aStride;
        bLane.first += laneRows[lane] * bStride;
      }
    }
  }
}

}  // namespace threadloom::THREADLOOM_PATH
