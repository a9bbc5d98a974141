/**
 * The register tile: c (rows, columns) = addends + a (rows, depth) · b (depth, PANEL), all sums in registers.
 * What c held before is an addend: it is prefetched at the start and read at the end. Read at the start it would
 * come late, and where the rows of c are a multiple of 4 KiB apart the processor would take it for what the tile
 * before has just stored to another row.
 *
 * `a` is copied or packed in groups of TILE_ROWS rows, aStep words apart; in a group a[r, p] is a[r·ROW_STEP + p·DEPTH_STEP]
 * with constant steps. b is one block of a panel, its columns beyond the matrix zero. The last vector of a row of c is
 * masked where the tile has fewer columns than its vectors.
 */
#pragma once

#include "panels.h"

namespace threadloom::THREADLOOM_PATH {

/** What is added to a finished tile: the tile's place in another matrix, or one row (stride 0). */
struct Addend {
  const float* at;
  Size stride;
};

struct Tile {
  const float* a;
  Size aStep;
  const float* b;
  Size depth;
  float* c;
  Size cStride;
  /** 1 … PANEL */
  Size columns;
  /** Added to the sums one after the other, before they are stored. */
  const Addend* addends;
  Size addendCount;
  /** What tiles to come will read, upcomingStep words for each index of K: prefetched PREFETCHES times a turn. */
  const float* upcoming;
  Size upcomingStep;
};

/** sum += a · b over the next INDICES indices of K; `further`: the second group of a, for a tile of more than TILE_ROWS rows. */
template <int ROWS, int VECTORS, Size ROW_STEP, Size DEPTH_STEP, int INDICES>
[[gnu::always_inline]] inline void addProducts(const float* a, const float* further, const float* b,
                                               Vector (&sum)[ROWS][VECTORS]) {
  static_assert(ROWS <= 2 * TILE_ROWS);
#pragma GCC unroll 16
  for (int p = 0; p < INDICES; p++) {
    Vector column[VECTORS];
    for (int v = 0; v < VECTORS; v++) column[v] = load(b + p * PANEL + v * WIDTH);
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
      const float* group = r < TILE_ROWS ? a : further;
      const Vector element = broadcast(group[p * DEPTH_STEP + r % TILE_ROWS * ROW_STEP]);
      for (int v = 0; v < VECTORS; v++) addProduct(sum[r][v], element, column[v]);
    }
  }
}

/** c = addends + sum; `lastLanes` are those of the last vector of a row. */
template <int ROWS, int VECTORS, class Last>
[[gnu::always_inline]] inline void finishTile(const Tile& tile, Vector (&sum)[ROWS][VECTORS],
                                              Last lastLanes) {
  constexpr int LAST = VECTORS - 1;
  for (Size i = 0; i < tile.addendCount; i++) {
    const Addend addend = tile.addends[i];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
      const float* row = addend.at + r * addend.stride;
      for (int v = 0; v < LAST; v++) sum[r][v] = load(row + v * WIDTH) + sum[r][v];
      sum[r][LAST] = load(row + LAST * WIDTH, lastLanes) + sum[r][LAST];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < ROWS; r++) {
    float* row = tile.c + r * tile.cStride;
    for (int v = 0; v < LAST; v++) store(row + v * WIDTH, sum[r][v]);
    store(row + LAST * WIDTH, sum[r][LAST], lastLanes);
  }
}

/** The first and the last line of a row of c, which lies in two, or in three. */
template <int VECTORS>
[[gnu::always_inline]] inline void prefetchTileRow(const float* row) {
  __builtin_prefetch(row, 1);
  __builtin_prefetch(row + VECTORS * WIDTH - 1, 1);
}

/** Not inlined: what the caller would keep in a register over the loop drives a sum out of its own. */
template <int ROWS, int VECTORS, Size ROW_STEP, Size DEPTH_STEP>
[[gnu::noinline]] static void multiplyTile(const Tile& tile) {
  Vector sum[ROWS][VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < ROWS; r++) {
    prefetchTileRow<VECTORS>(tile.c + r * tile.cStride);
    for (int v = 0; v < VECTORS; v++) sum[r][v] = broadcast(0);
  }

  const float* a = tile.a;
  const float* further = a + tile.aStep;
  const float* b = tile.b;
  const float* upcoming = tile.upcoming;
  const Size prefetchStep = UNROLLED / PREFETCHES * tile.upcomingStep;
  Size left = tile.depth;
  for (; left >= UNROLLED; left -= UNROLLED) {
    for (int i = 0; i < PREFETCHES; i++) __builtin_prefetch(upcoming + i * prefetchStep, 0, 2);
    addProducts<ROWS, VECTORS, ROW_STEP, DEPTH_STEP, UNROLLED>(a, further, b, sum);
    a += UNROLLED * DEPTH_STEP;
    further += UNROLLED * DEPTH_STEP;
    b += UNROLLED * PANEL;
    upcoming += PREFETCHES * prefetchStep;
  }
#pragma GCC unroll 1
  for (; left > 0; left--) {
    addProducts<ROWS, VECTORS, ROW_STEP, DEPTH_STEP, 1>(a, further, b, sum);
    a += DEPTH_STEP;
    further += DEPTH_STEP;
    b += PANEL;
  }

  if (tile.columns == VECTORS * WIDTH) {
    finishTile(tile, sum, AllLanes{});
  } else {
    finishTile(tile, sum, firstLanes(tile.columns - (VECTORS - 1) * WIDTH));
  }
}

/** The tile of `rows` rows, 1 … ROWS, and VECTORS vectors. */
template <Size ROW_STEP, Size DEPTH_STEP, int VECTORS, int ROWS = tileRows(VECTORS)>
inline void multiplyRows(Size rows, const Tile& tile) {
  if constexpr (ROWS > 0) {
    if (rows < ROWS) {
      multiplyRows<ROW_STEP, DEPTH_STEP, VECTORS, ROWS - 1>(rows, tile);
    } else {
      multiplyTile<ROWS, VECTORS, ROW_STEP, DEPTH_STEP>(tile);
    }
  }
}

/** The tile of `rows` rows and of the vectors that its columns take. */
template <Size ROW_STEP, Size DEPTH_STEP, int VECTORS = PANEL_VECTORS>
inline void multiplyVectors(Size rows, const Tile& tile) {
  if constexpr (VECTORS > 0) {
    if (tile.columns <= (VECTORS - 1) * WIDTH) {
      multiplyVectors<ROW_STEP, DEPTH_STEP, VECTORS - 1>(rows, tile);
    } else {
      multiplyRows<ROW_STEP, DEPTH_STEP, VECTORS>(rows, tile);
    }
  }
}

}  // namespace threadloom::THREADLOOM_PATH
