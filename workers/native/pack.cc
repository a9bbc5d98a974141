/**
 * Packs rows [firstRow, firstRow + rows) of columns [firstColumn, firstColumn + columns) of b (k, n) into
 * panels, [block][panel][index in block][PANEL], the columns beyond n as zeros. b[i, j] is
 * source[i·stride + j], or source[j·stride + i] where transposed. Packed aliases nothing; calls on different
 * rows or panels write different words.
 */
#include "operations.h"
#include "panels.h"

namespace threadloom::THREADLOOM_PATH {

Size packedLength(Size k, Size n) { return k * ceilingDivide(n, PANEL) * PANEL; }

/** Rows of a panel, one after the other: `columns` words, then zeros. */
static void packRows(const float* from, Size stride, Size depth, Size columns, float* to) {
  for (Size i = 0; i < depth; i++) {
    packPanelRow(from, columns, to);
    from += stride;
    to += PANEL;
  }
}

/** to[i·PANEL + j] = from[j·stride + i] for 8 × 8 words, three times interleaving neighbours. */
static void transposeSquare(const float* from, Size stride, float* to) {
  __m256 row[8], pair[8], four[8];
  for (int j = 0; j < 8; j++) row[j] = _mm256_loadu_ps(from + j * stride);
  for (int j = 0; j < 8; j += 2) {
    pair[j] = _mm256_unpacklo_ps(row[j], row[j + 1]);
    pair[j + 1] = _mm256_unpackhi_ps(row[j], row[j + 1]);
  }
  for (int j = 0; j < 8; j += 4) {
    for (int odd = 0; odd < 2; odd++) {
      four[j + 2 * odd] = _mm256_shuffle_ps(pair[j + odd], pair[j + odd + 2], 0x44);
      four[j + 2 * odd + 1] = _mm256_shuffle_ps(pair[j + odd], pair[j + odd + 2], 0xee);
    }
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(to + i * PANEL, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * PANEL, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
  }
}

/** Rows of a panel of the transposed source: squares of 8, and single words at the edges. */
static void packTransposed(const float* from, Size stride, Size depth, Size columns, float* to) {
  for (Size j = 0; j < PANEL; j += 8) {
    const Size whole = columns - j >= 8 ? depth / 8 * 8 : 0;
    for (Size i = 0; i < whole; i += 8) {
      transposeSquare(from + j * stride + i, stride, to + i * PANEL + j);
    }
    for (Size i = whole; i < depth; i++) {
      for (Size q = j; q < j + 8; q++) to[i * PANEL + q] = q < columns ? from[q * stride + i] : 0;
    }
  }
}

void pack(const float* source, Size stride, Size transposed, Size k, Size n, Size firstRow, Size rows,
          Size firstColumn, Size columns, float* packed) {
  const Size panels = ceilingDivide(n, PANEL);
  for (Size index = 0; index < countBlocks(k); index++) {
    const Block block = blockOf(index, k);
    const Size first = greater(firstRow, block.first);
    const Size depth = lesser(firstRow + rows, block.first + block.depth) - first;
    if (depth <= 0) continue;
    for (Size column = firstColumn; column < firstColumn + columns; column += PANEL) {
      float* panel = packed + packedOffset(block, column / PANEL, panels);
      float* to = panel + (first - block.first) * PANEL;
      const Size width = lesser(n - column, PANEL);
      if (transposed) {
        packTransposed(source + column * stride + first, stride, depth, width, to);
      } else {
        packRows(source + first * stride + column, stride, depth, width, to);
      }
    }
  }
}

}  // namespace threadloom::THREADLOOM_PATH
