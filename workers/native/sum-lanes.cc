/**
 * out (n) = the sum over lanes of a vector each, in the tree of src/kernels/lane-tree.ts; a lane at place 0
 * contributes nothing. Piece by piece: a lane's piece is added to the sums it completes, as a binary counter
 * of lanes holds a sum for each power of two; sums stand in scratch, a piece for each level of the counter,
 * which fits the first-level cache. Tails are masked. out and scratch alias nothing.
 */
#include "lane-counter.h"
#include "operations.h"
#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

constexpr Size PIECE = 256;

Size sumScratchLength(Size lanes) { return countLevels(lanes) * PIECE; }

/** A vector, or none. */
using Place = const float*;

static void addPiece(const float* a, const float* b, float* out, Size n) {
  forEachVector(n, [=](Size i, auto lanes) {
    store(out + i, load(a + i, lanes) + load(b + i, lanes), lanes);
  });
}

void sumLanes(const float* base, const std::int32_t* places, Size lanes, Size n, float* out,
              float* scratch) {
  const float* end = scratch + sumScratchLength(lanes);
  for (Size first = 0; first < n; first += PIECE) {
    const Size count = n - first < PIECE ? n - first : PIECE;
    Place waiting[MAXIMUM_LEVELS];
    for (Size lane = 0; lane < lanes; lane++) {
      Size top = countWaiting(lane);
      Place sum = places[lane] ? base + places[lane] + first : nullptr;
      for (Size left = countCompleted(lane, lanes); left > 0; left--) {
        const Place other = waiting[--top];
        if (other && sum) {
          float* level = scratch + top * PIECE;
          addPiece(other, sum, level, count);
          sum = level;
        } else if (other) {
          sum = other;
        }
      }
      // A sum that found none to add to lies at a level it has left, where the next one would overwrite it.
      float* level = scratch + top * PIECE;
      const bool held = scratch <= sum && sum < end;
      if (held && sum != level) {
        copy(sum, level, count);
        sum = level;
      }
      waiting[top] = sum;
    }
    const Place sum = waiting[0];
    if (sum) {
      copy(sum, out + first, count);
    } else {
      fill(out + first, count, 0);
    }
  }
}

}  // namespace threadloom::THREADLOOM_PATH
