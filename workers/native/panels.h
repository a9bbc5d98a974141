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
 * TILE_ROWS fills the registers. UNROLLED indices of K make a turn of the loop, with PREFETCHES of b: counting and
 * prefetching cost more beside 12 multiply-adds than beside 28.
 */
#if defined(__AVX512F__)
/** 28 sums, 2 vectors of b and a broadcast: 31 of the 32 registers. */
constexpr int TILE_ROWS = 14;
constexpr int UNROLLED = 1;
constexpr int PREFETCHES = 1;
#else
/** 12 sums, 2 vectors of b and a broadcast: 15 of the 16 registers. */
constexpr int TILE_ROWS = 6;
constexpr int UNROLLED = 4;
constexpr int PREFETCHES = 2;
#endif
constexpr Size PANEL = 2 * WIDTH;
/** A block of a panel fills at most the first-level cache (32 KiB). */
constexpr Size MAXIMUM_DEPTH = 256;

inline Size ceilingDivide(Size a, Size b) { return (a + b - 1) / b; }
inline Size lesser(Size a, Size b) { return a < b ? a : b; }
inline Size greater(Size a, Size b) { return a > b ? a : b; }

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
