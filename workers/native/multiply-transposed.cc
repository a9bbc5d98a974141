/**
 * c (m, n) = (accumulate ? c : 0) + Σ over lanes of aᵀ · b, a (groups·rows, m), b (groups·rows, n): within a
 * lane K runs over its rows in order of group, then row; the lanes are added as the tree of
 * src/kernels/lane-tree.ts. c and scratch alias nothing; tiles at the right edge are masked. Error of an
 * element: at most groups·rows roundings of a fused multiply-add, and one for each block and level of the tree.
 *
 * c is computed in pieces that fit the second-level cache, with all lanes of a piece one after the other:
 * what a lane adds to is still near. Scratch holds the operands packed, because rows that are a power of two
 * apart would evict each other from the cache: for all pieces that lie above each other the columns of b,
 * [lane][block][panel][index in block][PANEL], and a block of a in tiles, [tile][index in block][TILE_ROWS];
 * and the sums of the piece that wait for their right neighbour in the tree. The panel of b that comes next, and the
 * block of a that is packed next, are prefetched evenly while tiles are computed: a may come from memory.
 */
#include "lane-counter.h"
#include "operations.h"
#include "pack-lanes.h"
#include "tile.h"

namespace threadloom::THREADLOOM_PATH {

/**
 * Rows and columns of a piece of c: its tiles of a, MAXIMUM_DEPTH long, as much that is fetched for the next ones, and its sums
 * take 85, 85 and 180 KiB with tiles of 4 rows, 113, 113 and 231 with those of 14, whose processors have the larger caches.
 */
constexpr Size PIECE_ROWS = PIECE_TILES * TILE_ROWS;
constexpr Size PIECE_COLUMNS = PIECE_PANELS * PANEL;

/** A piece of c, its rows in `tiles` tiles, its columns in `panels` panels. */
struct Piece {
  Size rows;
  Size tiles;
  Size columns;
  Size panels;

  /** Words from one row of sums to the next, and of all of them. */
  Size sumsStride() const { return panels * PANEL + GAP; }
  Size sumsLength() const { return rows * sumsStride(); }
};

Size scratchLength(Size groups, Size rows, Size lanes, Size m, Size n) {
  const Size k = groups * rows;
  const Size panels = ceilingDivide(lesser(n, PIECE_COLUMNS), PANEL);
  const Piece piece{lesser(m, PIECE_ROWS), lesser(ceilingDivide(m, TILE_ROWS), PIECE_TILES), 0, panels};
  return countLevels(lanes) * piece.sumsLength() + lanes * k * panels * PANEL +
         piece.tiles * tileLength(lesser(k, MAXIMUM_DEPTH));
}

/**
 * One panel of the piece, `tile` being the first; `addends` are moved along with it. A panel of one vector may take two packed
 * tiles together, so that enough sums are under way.
 */
static void multiplyPanel(Tile tile, const Piece& piece, Addend* addends, RowPrefetcher& ahead) {
  const Size together = tileRows(ceilingDivide(tile.columns, WIDTH)) / TILE_ROWS;
  const Size rows = together * TILE_ROWS;
  tile.aStep = tileLength(tile.depth);
  tile.upcoming = tile.b + tile.depth * PANEL;
  tile.upcomingStep = ceilingDivide(PANEL, ceilingDivide(piece.tiles, together));
  tile.addends = addends;
  for (Size row = 0; row < piece.rows; row += rows) {
    const Size count = lesser(piece.rows - row, rows);
    for (Size i = 0; i < together; i++) ahead.advance();
    multiplyVectors<1, TILE_ROWS>(count, tile);
    tile.a += together * tile.aStep;
    tile.upcoming += tile.depth * tile.upcomingStep;
    tile.c += count * tile.cStride;
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

/** All blocks of one lane, b packed. What they sum up to stands in `between`, rows of sums. `after`: what of a is packed next, if anything. */
static void multiplyLane(const GroupedRows& a, const float* packedB, Size k, const Piece& piece,
                         float* between, const Destination& destination, float* packedA,
                         const RowBlock& after) {
  const Size blocks = countBlocks(k);
  for (Size index = 0; index < blocks; index++) {
    const Block block = blockOf(index, k);
    const bool isLast = index + 1 == blocks;
    packTiles({a, block, piece.rows}, packedA);
    RowPrefetcher ahead(isLast ? after : RowBlock{a, blockOf(index + 1, k), piece.rows},
                        piece.panels * piece.tiles);
    for (Size panel = 0; panel < piece.panels; panel++) {
      const Size column = panel * PANEL;
      Tile tile{};
      tile.a = packedA;
      tile.b = packedB + packedOffset(block, panel, piece.panels);
      tile.depth = block.depth;
      tile.c = (isLast ? destination.c : between) + column;
      tile.cStride = isLast ? destination.stride : piece.sumsStride();
      tile.columns = lesser(piece.columns - column, PANEL);
      Addend addends[MAXIMUM_LEVELS + 2];
      const auto add = [&](const Addend& addend) {
        addends[tile.addendCount++] = {addend.at + column, addend.stride};
      };
      if (index > 0) add({between, piece.sumsStride()});
      for (Size i = 0; isLast && i < destination.addendCount; i++) add(destination.addends[i]);
      multiplyPanel(tile, piece, addends, ahead);
    }
  }
}

/** The sum of lane `index` and of what it completes: into a waiting sum, or into c. */
static Destination destinationOf(Size index, Size lanes, const Piece& piece, float* c, Size cStride,
                                 bool accumulate, float* sums) {
  const Size length = piece.sumsLength();
  const Size stride = piece.sumsStride();
  const Size waiting = countWaiting(index);
  const Size completed = countCompleted(index, lanes);
  Destination destination{};
  for (Size i = 1; i <= completed; i++) destination.add(sums + (waiting - i) * length, stride);
  if (index + 1 < lanes) {
    destination.c = sums + (waiting - completed) * length;
    destination.stride = stride;
  } else {
    destination.c = c;
    destination.stride = cStride;
    if (accumulate) destination.add(c, cStride);
  }
  return destination;
}

/** One piece, c at its place: all lanes, `a` being the first. Scratch: the sums, and then a packed block of a. */
static void multiplyPiece(GroupedRows a, const float* packedB, Size groups, const std::int32_t* laneRows,
                          Size lanes, const Piece& piece, float* c, Size cStride, bool accumulate,
                          float* scratch, const RowBlock& after) {
  float* packedA = scratch + countLevels(lanes) * piece.sumsLength();
  for (Size lane = 0; lane < lanes; lane++) {
    const Destination destination =
        destinationOf(lane, lanes, piece, c, cStride, accumulate, scratch);
    float* between = scratch + countWaiting(lane) * piece.sumsLength();
    const Size k = groups * a.rows;
    if (lane + 1 == lanes) {
      multiplyLane(a, packedB, k, piece, between, destination, packedA, after);
      return;
    }
    const GroupedRows next{a.first + a.rows * a.stride, a.stride, a.groupStride, laneRows[lane + 1]};
    const RowBlock nextBlock{next, blockOf(0, groups * next.rows), piece.rows};
    multiplyLane(a, packedB, k, piece, between, destination, packedA, nextBlock);
    packedB += k * piece.panels * PANEL;
    a = next;
  }
}

void multiplyTransposed(const float* a, Size aStride, Size aGroupStride, const float* b, Size bStride,
                        Size bGroupStride, Size groups, const std::int32_t* laneRows, Size lanes,
                        float* c, Size cStride, Size m, Size n, Size accumulate, float* scratch) {
  const Size tiles = ceilingDivide(m, TILE_ROWS);
  const Size parts = ceilingDivide(tiles, PIECE_TILES);
  const auto rowOf = [=](Size part) { return lesser(firstOfPart(part, parts, tiles) * TILE_ROWS, m); };
  // Of the first lane of a part of c's rows.
  const auto firstBlockOf = [=](Size part) {
    const GroupedRows lane{a + rowOf(part), aStride, aGroupStride, laneRows[0]};
    return RowBlock{lane, blockOf(0, groups * lane.rows), rowOf(part + 1) - rowOf(part)};
  };
  for (Size column = 0; column < n; column += PIECE_COLUMNS) {
    Piece piece{};
    piece.columns = lesser(n - column, PIECE_COLUMNS);
    piece.panels = ceilingDivide(piece.columns, PANEL);
    float* packedB = scratch;
    GroupedRows lane{b + column, bStride, bGroupStride, 0};
    for (Size index = 0; index < lanes; index++) {
      lane.rows = laneRows[index];
      const Size k = groups * lane.rows;
      packLane(lane, k, piece.columns, scratch);
      lane.first += lane.rows * lane.stride;
      scratch += k * piece.panels * PANEL;
    }
    for (Size part = 0; part < parts; part++) {
      const Size row = rowOf(part);
      piece.rows = rowOf(part + 1) - row;
      piece.tiles = ceilingDivide(piece.rows, TILE_ROWS);
      const RowBlock after = part + 1 == parts ? RowBlock{} : firstBlockOf(part + 1);
      multiplyPiece(firstBlockOf(part).operand, packedB, groups, laneRows, lanes, piece,
                    c + row * cStride + column, cStride, accumulate, scratch, after);
    }
    scratch = packedB;
  }
}

}  // namespace threadloom::THREADLOOM_PATH
