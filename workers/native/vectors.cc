/** Runs of n elements: sum of two, copy, fill, sum of squares. Tails are masked. */
#include "operations.h"
#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

/** out = a + b; out may be a or b. */
void add(const float* a, const float* b, float* out, Size n) {
  forEachVector(n, [=](Size i, auto lanes) {
    store(out + i, load(a + i, lanes) + load(b + i, lanes), lanes);
  });
}

/** out = source; they may overlap. */
void copy(const float* source, float* out, Size n) {
  if (n > 0) __builtin_memmove(out, source, static_cast<std::size_t>(n) * sizeof(float));
}

void fill(float* out, Size n, double value) {
  const Vector each = broadcast(static_cast<float>(value));
  forEachVector(n, [=](Size i, auto lanes) { store(out + i, each, lanes); });
}

/**
 * Σ a² in float64, where a square of a float32 is exact. Element i is added in ascending order into
 * partial sum i mod (2·WIDTH), then the partial sums in ascending order: fixed by n alone.
 */
double sumOfSquares(const float* a, Size n) {
  Doubles sums[4] = {zeroDoubles(), zeroDoubles(), zeroDoubles(), zeroDoubles()};
  const auto addSquares = [&sums](Size pair, Vector x) {
    const Doubles low = lowDoubles(x);
    const Doubles high = highDoubles(x);
    sums[2 * pair] = multiplyAdd(low, low, sums[2 * pair]);
    sums[2 * pair + 1] = multiplyAdd(high, high, sums[2 * pair + 1]);
  };
  Size i = 0;
  for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {
    addSquares(0, load(a + i));
    addSquares(1, load(a + i + WIDTH));
  }
  forEachVector(n - i, [&](Size j, auto lanes) { addSquares(j / WIDTH, load(a + i + j, lanes)); });
  double each[2 * WIDTH];
  for (Size part = 0; part < 4; part++) store(each + part * (WIDTH / 2), sums[part]);
  double total = 0;
  for (Size lane = 0; lane < 2 * WIDTH; lane++) total += each[lane];
  return total;
}

}  // namespace threadloom::THREADLOOM_PATH
