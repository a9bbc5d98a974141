/**
 * The most multiply-adds that the processor does in registers: twelve independent chains, enough to hide the
 * latency of each. For benchmarks.
 */
#include "operations.h"
#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

constexpr Size CHAINS = 12;

/** Runs each chain `iterations` times; returns the floating-point operations done, 2 a multiply-add. */
double multiplyAddLoop(Size iterations) {
  const Vector factor = broadcast(0.9999f);
  const Vector term = broadcast(0.0001f);
  Vector chains[CHAINS];
  for (Size i = 0; i < CHAINS; i++) chains[i] = broadcast(0.1f * static_cast<float>(i));
  for (Size n = 0; n < iterations; n++) {
#pragma GCC unroll 12
    for (Size i = 0; i < CHAINS; i++) chains[i] = multiplyAdd(chains[i], factor, term);
  }
  // The chains tend to 1: never NaN, so nothing is added, but the compiler cannot leave them out.
  Vector sum = chains[0];
  for (Size i = 1; i < CHAINS; i++) sum = sum + chains[i];
  float lanes[WIDTH];
  store(lanes, sum);
  const double unused = lanes[0] != lanes[0] ? 1 : 0;
  return 2.0 * CHAINS * WIDTH * static_cast<double>(iterations) + unused;
}

}  // namespace threadloom::THREADLOOM_PATH
