/**
 * Rows by index, and sums of rows. Every row has n elements without gaps; tails are masked; nothing
 * aliases.
 */
#include "operations.h"
#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

/** out (R, n) = source[index[row]] */
void gatherRows(const float* source, Size sourceStride, const std::int32_t* index, Size rows, Size n,
                float* out, Size outStride) {
  for (Size r = 0; r < rows; r++) {
    const float* from = source + index[r] * sourceStride;
    float* to = out + r * outStride;
    forEachVector(n, [=](Size j, auto lanes) { store(to + j, load(from + j, lanes), lanes); });
  }
}

/** out[index[g, r]] += a[g, r], in order of group, then row. */
void scatterAddRows(const float* a, Size aStride, Size aGroupStride, const std::int32_t* index,
                    Size indexGroupStride, Size groups, Size rows, Size n, float* out,
                    Size outStride) {
  for (Size g = 0; g < groups; g++) {
    for (Size r = 0; r < rows; r++) {
      const float* from = a + g * aGroupStride + r * aStride;
      float* to = out + index[g * indexGroupStride + r] * outStride;
      forEachVector(n, [=](Size j, auto lanes) {
        store(to + j, load(to + j, lanes) + load(from + j, lanes), lanes);
      });
    }
  }
}

/** VECTORS vectors of out, from column j: one pass down all rows with the sums in registers. */
template <int VECTORS, class Last>
static void sumColumns(const float* a, Size aStride, Size aGroupStride, Size groups, Size rows,
                       Size accumulate, float* out, Last lanes) {
  Vector sum[VECTORS];
  for (int v = 0; v < VECTORS; v++) {
    sum[v] = accumulate ? load(out + v * WIDTH, lanes) : broadcast(0);
  }
  for (Size g = 0; g < groups; g++) {
    for (Size r = 0; r < rows; r++) {
      const float* row = a + g * aGroupStride + r * aStride;
      for (int v = 0; v < VECTORS; v++) sum[v] = sum[v] + load(row + v * WIDTH, lanes);
    }
  }
  for (int v = 0; v < VECTORS; v++) store(out + v * WIDTH, sum[v], lanes);
}

/** out (n) = (accumulate ? out : 0) + Σ rows of a, in order of group, then row. */
void sumRows(const float* a, Size aStride, Size aGroupStride, Size groups, Size rows, Size n,
             Size accumulate, float* out) {
  constexpr int STRIP = 8;
  Size j = 0;
  for (; j + STRIP * WIDTH <= n; j += STRIP * WIDTH) {
    sumColumns<STRIP>(a + j, aStride, aGroupStride, groups, rows, accumulate, out + j, AllLanes{});
  }
  forEachVector(n - j, [=](Size i, auto lanes) {
    sumColumns<1>(a + j + i, aStride, aGroupStride, groups, rows, accumulate, out + j + i, lanes);
  });
}

}  // namespace threadloom::THREADLOOM_PATH
