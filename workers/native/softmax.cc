/**
 * Softmax with cross-entropy, forward and backward in one: logits (R, n) become softmax(logits) −
 * onehot(target), losses (R) = log Σ exp(logits − max) + max − logits[target]. Three passes over a row
 * that stays in the cache.
 *
 * A row's sum is added lane by lane over the vectors of a block, then over lanes and blocks in ascending order in float64:
 * fixed by n alone. Error of a probability: relative 10⁻⁶ while normal; the logarithm is taken in float64.
 */
#include "activations.h"
#include "operations.h"

namespace threadloom::THREADLOOM_PATH {

/** The greatest of n numbers. A NaN may be lost: it comes back through the sum of the row. */
static float greatest(const float* row, Size n) {
  const Vector lowest = broadcast(-__builtin_inff());
  Vector max = lowest;
  Size i = 0;
  for (; i + WIDTH <= n; i += WIDTH) max = maximum(max, load(row + i));
  if (i < n) {
    const Lanes lanes = firstLanes(n - i);
    max = maximum(max, select(lanes, load(row + i, lanes), lowest));
  }
  float each[WIDTH];
  store(each, max);
  float result = each[0];
  for (Size lane = 1; lane < WIDTH; lane++) result = each[lane] > result ? each[lane] : result;
  return result;
}

/** Elements that are added in float32. */
constexpr Size SUM_BLOCK = 4096;

/** block = exp(block − max); returns the sum. */
static double exponentials(float* block, Size n, float max) {
  const Vector shift = broadcast(max);
  Vector sum = broadcast(0);
  Size i = 0;
  for (; i + WIDTH <= n; i += WIDTH) {
    const Vector e = exponential(load(block + i) - shift);
    store(block + i, e);
    sum = sum + e;
  }
  if (i < n) {
    const Lanes lanes = firstLanes(n - i);
    const Vector e = exponential(load(block + i, lanes) - shift);
    store(block + i, e, lanes);
    sum = sum + select(lanes, e, broadcast(0));
  }
  float each[WIDTH];
  store(each, sum);
  double total = 0;
  for (Size lane = 0; lane < WIDTH; lane++) total += each[lane];
  return total;
}

void softmaxCrossEntropy(float* logits, const std::int32_t* targets, Size rows, Size n,
                         float* losses) {
  for (Size r = 0; r < rows; r++) {
    float* row = logits + r * n;
    float* target = row + targets[r];
    const float targetLogit = *target;
    const float max = greatest(row, n);
    double sum = 0;
    for (Size first = 0; first < n; first += SUM_BLOCK) {
      sum += exponentials(row + first, n - first < SUM_BLOCK ? n - first : SUM_BLOCK, max);
    }
    losses[r] = static_cast<float>(__builtin_log(sum) + (static_cast<double>(max) - targetLogit));
    const Vector inverse = broadcast(static_cast<float>(1 / sum));
    forEachVector(n, [=](Size j, auto lanes) {
      store(row + j, load(row + j, lanes) * inverse, lanes);
    });
    *target -= 1;
  }
}

}  // namespace threadloom::THREADLOOM_PATH
