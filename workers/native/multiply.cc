/**
 * c (m, n) = start + a (m, k) · b (k, n), b packed by `pack`. c aliases nothing; tiles at the right edge
 * are masked. Error of an element: at most k roundings of a fused multiply-add, in ascending order of K, and one
 * where a block is added to the bias or to what c held.
 *
 * After Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008). The rows of a that
 * share a block of b are copied side by side, because rows that are a power of two apart would evict each
 * other from the first-level cache; the panel that comes next is prefetched evenly while the tiles of one
 * are computed, and so are the rows that are copied next, and evenly over all tiles what is to be read after the product: these
 * may come from memory, which has nothing else to do meanwhile.
 */
#include "grouped-rows.h"
#include "operations.h"
#include "tile.h"

namespace threadloom::THREADLOOM_PATH {

/**
 * Words from one copied row to the next: a cache line more than a block, so that rows spread over the
 * cache.
 */
constexpr Size COPY_STRIDE = MAXIMUM_DEPTH + 16;
/** Words that are prefetched together of what is read after the product. */
constexpr Size STRIP = 4 * LINE;

static void copyRows(const float* a, Size aStride, Size rows, Size depth, float* copies) {
  for (Size r = 0; r < rows; r++) {
    const float* from = a + r * aStride;
    float* to = copies + r * COPY_STRIDE;
    forEachVector(depth, [=](Size p, auto lanes) { store(to + p, load(from + p, lanes), lanes); });
  }
}

/** One panel of c: `rows` rows in `tiles` tiles, `tile` being the first. `next`: the rows of a that are copied next. */
static void multiplyPanel(Tile tile, Size rows, Size tiles, Addend addend, RowPrefetcher& next,
                          RowPrefetcher& afterProduct) {
  tile.addends = &addend;
  tile.addendCount = addend.at ? 1 : 0;
  tile.upcoming = tile.b + tile.depth * PANEL;
  tile.upcomingStep = ceilingDivide(PANEL, tiles);
  Size row = 0;
  for (Size index = 1; index <= tiles; index++) {
    const Size count = firstOfPart(index, tiles, rows) - row;
    next.advance();
    afterProduct.advance();
    multiplyVectors<COPY_STRIDE, 1>(count, tile);
    row += count;
    tile.a += count * COPY_STRIDE;
    tile.c += count * tile.cStride;
    addend.at += count * addend.stride;
    tile.upcoming += tile.depth * tile.upcomingStep;
  }
}

void multiply(const float* a, Size aStride, const float* packed, float* c, Size cStride, Size m,
              Size k, Size n, Size start, const float* bias, const float* ahead, Size aheadLength) {
  alignas(64) float copies[TILES_TOGETHER * TILE_ROWS * COPY_STRIDE];
  const Size panels = ceilingDivide(n, PANEL);
  const Size parts = ceilingDivide(m, TILES_TOGETHER * TILE_ROWS);
  // In the first panel, the widest: a narrow tile has more.
  const Size rowsOfTile = tileRows(greater(ceilingDivide(lesser(n, PANEL), WIDTH), 1));
  const Size strips = ceilingDivide(aheadLength, STRIP);
  RowPrefetcher afterProduct({{ahead, STRIP, 0, strips}, {0, strips}, STRIP},
                             countBlocks(k) * panels * ceilingDivide(m, rowsOfTile));
  // What is copied after block `index` of a part; nothing where there is one part alone: so few rows have mostly just been computed.
  const auto rowsAfter = [=](Size part, Size index) {
    const bool isLastBlock = index + 1 == countBlocks(k);
    const Size next = isLastBlock ? part + 1 : part;
    if (parts == 1 || next == parts) return RowBlock{};
    const Block block = blockOf(isLastBlock ? 0 : index + 1, k);
    const Size first = firstOfPart(next, parts, m);
    const Size rows = firstOfPart(next + 1, parts, m) - first;
    return RowBlock{{a + first * aStride + block.first, aStride, 0, rows}, {0, rows}, block.depth};
  };
  for (Size part = 0; part < parts; part++) {
    const Size row = firstOfPart(part, parts, m);
    const Size rows = firstOfPart(part + 1, parts, m) - row;
    for (Size index = 0; index < countBlocks(k); index++) {
      const Block block = blockOf(index, k);
      copyRows(a + row * aStride + block.first, aStride, rows, block.depth, copies);
      RowPrefetcher next(rowsAfter(part, index), panels * ceilingDivide(rows, rowsOfTile));
      for (Size panel = 0; panel < panels; panel++) {
        const Size column = panel * PANEL;
        Tile tile{};
        tile.a = copies;
        tile.aStep = TILE_ROWS * COPY_STRIDE;
        tile.b = packed + packedOffset(block, panel, panels);
        tile.depth = block.depth;
        tile.c = c + row * cStride + column;
        tile.cStride = cStride;
        tile.columns = lesser(n - column, PANEL);
        Addend addend{};
        if (index > 0 || start == START_ACCUMULATE) {
          addend = {tile.c, cStride};
        } else if (start == START_BIAS) {
          addend = {bias + column, 0};
        }
        const Size vectors = ceilingDivide(tile.columns, WIDTH);
        multiplyPanel(tile, rows, ceilingDivide(rows, tileRows(vectors)), addend, next, afterProduct);
      }
    }
  }
}

}  // namespace threadloom::THREADLOOM_PATH
