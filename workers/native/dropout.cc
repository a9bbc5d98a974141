/**
 * out (R, n) = source ⊙ keep · scale. The unit j of row r is kept where bits(r, j) ≥ threshold, with
 * bits(r, j) = mix(mix(key ⊕ (firstStream + r)·0x9E3779B9) + j·0x85EBCA6B) modulo 2³²: the same integers as
 * src/kernels/mix.ts ("lowbias32", Wellons 2018). out may be source; the tail of a row is masked.
 */
#include "operations.h"
#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

constexpr std::uint32_t ROW_STEP = 0x9e3779b9u;
constexpr std::uint32_t UNIT_STEP = 0x85ebca6bu;
constexpr std::uint32_t FIRST_FACTOR = 0x7feb352du;
constexpr std::uint32_t SECOND_FACTOR = 0x846ca68bu;

static std::uint32_t mix(std::uint32_t x) {
  x = (x ^ (x >> 16)) * FIRST_FACTOR;
  x = (x ^ (x >> 15)) * SECOND_FACTOR;
  return x ^ (x >> 16);
}

static Integers mix(Integers x) {
  x = multiplyIntegers(xorShiftRight<16>(x), broadcastInteger(FIRST_FACTOR));
  x = multiplyIntegers(xorShiftRight<15>(x), broadcastInteger(SECOND_FACTOR));
  return xorShiftRight<16>(x);
}

void dropout(const float* source, float* out, Size rows, Size n, Size firstStream, Size key,
             Size threshold, double scale) {
  const Integers least = broadcastInteger(static_cast<std::uint32_t>(threshold));
  const Vector factor = broadcast(static_cast<float>(scale));
  const Integers laneSteps = multiplyIntegers(laneNumbers(), broadcastInteger(UNIT_STEP));
  for (Size r = 0; r < rows; r++) {
    const auto stream = static_cast<std::uint32_t>(firstStream + r);
    const std::uint32_t rowKey = mix(static_cast<std::uint32_t>(key) ^ (stream * ROW_STEP));
    const float* from = source + r * n;
    float* to = out + r * n;
    forEachVector(n, [=](Size j, auto lanes) {
      const std::uint32_t first = rowKey + static_cast<std::uint32_t>(j) * UNIT_STEP;
      const Integers bits = mix(addIntegers(broadcastInteger(first), laneSteps));
      const Vector scaled = load(from + j, lanes) * factor;
      store(to + j, select(atLeast(bits, least), scaled, broadcast(0)), lanes);
    });
  }
}

}  // namespace threadloom::THREADLOOM_PATH
