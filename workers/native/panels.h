/**
 * How a matrix product is cut: the rows of c into tiles of at most TILE_ROWS, the columns into panels of
 * PANEL, K into blocks of at most MAXIMUM_DEPTH that depend on k alone. Inside a block every tile adds
 * over K in ascending order with one fused multiply-add per element, and the sums of a block are added to what the
 * one before stored, so an element is the same chain of roundings in every cut of rows, columns and K.
 */
#pragma once

#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

/**
 * A tile of tileRows and PANEL_VECTORS fills the registers. UNROLLED indices of K make a turn of the loop, with PREFETCHES
 * of b: counting and prefetching cost more beside 12 multiply-adds than beside 28, most of all where another program
 * shares the core. TILES_TOGETHER of a product use one panel of b before the next is read, and wait in the second-level cache
 * meanwhile: 98 rows in the larger one of a processor with AVX-512, else 64. PIECE_TILES × PIECE_PANELS of a transposed
 * product are a piece that fits that cache. ROWS_TOGETHER of its first operand are packed at a time, so that they fill a cache
 * line of each tile: row by row, the line would have left the first-level cache before the next row came to it.
 */
#if defined(__AVX512F__)
constexpr int PANEL_VECTORS = 2;
constexpr int UNROLLED = 1;
constexpr int PREFETCHES = 1;
constexpr int TILES_TOGETHER = 7;
constexpr int PIECE_TILES = 8;
constexpr int PIECE_PANELS = 16;
constexpr int ROWS_TOGETHER = 1;
/** 28 sums, 2 vectors of b and a broadcast: 31 of the 32 registers. */
constexpr int tileRows(Size) { return 14; }
#else
constexpr int PANEL_VECTORS = 3;
constexpr int UNROLLED = 8;
constexpr int PREFETCHES = 2;
constexpr int TILES_TOGETHER = 16;
constexpr int PIECE_TILES = 21;
constexpr int PIECE_PANELS = 22;
constexpr int ROWS_TOGETHER = 4;
/**
 * 12 sums, 3 vectors of b and a broadcast: all 16 registers, and fewer loads than 6 rows of 2 vectors need. A narrower tile
 * has more rows, so that enough sums are under way.
 */
constexpr int tileRows(Size vectors) { return vectors == 1 ? 8 : 12 / static_cast<int>(vectors); }
#endif
constexpr int TILE_ROWS = tileRows(PANEL_VECTORS);
constexpr Size PANEL = PANEL_VECTORS * WIDTH;
/** Words of a cache line. */
constexpr Size LINE = 16;
/** A block of a panel fills at most the first-level cache (32 KiB). */
constexpr Size MAXIMUM_DEPTH = 256;

inline Size ceilingDivide(Size a, Size b) { return (a + b - 1) / b; }
inline Size lesser(Size a, Size b) { return a < b ? a : b; }
inline Size greater(Size a, Size b) { return a > b ? a : b; }

/** `columns` words of a row, padded with zeros to a panel. */
inline void packPanelRow(const float* row, Size columns, float* to) {
  for (Size v = 0; v < PANEL; v += WIDTH) {
    const Lanes lanes = firstLanes(lesser(greater(columns - v, 0), WIDTH));
    store(to + v, load(row + v, lanes));
  }
}

/** `parts` pieces of nearly equal length out of `length`: where one begins, and the one before ends. */
inline Size firstOfPart(Size part, Size parts, Size length) { return part * length / parts; }

/** One block of K: its first index and its length. */
struct Block {
  Size first;
  Size depth;
};
/** At least one, so that an empty sum is stored too. */
inline Size countBlocks(Size k) { return k > MAXIMUM_DEPTH ? ceilingDivide(k, MAXIMUM_DEPTH) : 1; }
inline Block blockOf(Size index, Size k) {
  const Size blocks = countBlocks(k);
  const Size first = firstOfPart(index, blocks, k);
  return {first, firstOfPart(index + 1, blocks, k) - first};
}

/** Words of packed b, [block][panel][index in block][PANEL], before a panel of a block. */
inline Size packedOffset(Block block, Size panel, Size panels) {
  return (block.first * panels + panel * block.depth) * PANEL;
}

}  // namespace threadloom::THREADLOOM_PATH
