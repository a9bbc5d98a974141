/**
 * exp, sigmoid and tanh of a vector. Every lane goes the same way, whatever stands beside it.
 *
 * x is split into n·ln 2 + r, |r| ≤ ln 2 / 2 (Cody & Waite 1980), and exp(r) − 1 is a polynomial of
 * degree 6 in r, minimax in relative error (2·10⁻⁸ before rounding). Errors, measured over float32
 * numbers against float64:
 * exponential         relative 10⁻⁷ for −87 ≤ x ≤ 88; below, absolute 10⁻³⁸; above, to ∞
 * sigmoid             absolute 10⁻⁷; relative 2.4·10⁻⁷ for x ≥ −87
 * hyperbolicTangent   relative 2·10⁻⁷
 * NaN gives NaN; −∞ and ∞ give the limits exactly.
 */
#pragma once

#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

constexpr float LOG2_E = 0x1.715476p+0f;
/** ln 2 as the sum of two float32. */
constexpr float LN2_HIGH = 0x1.62e430p-1f;
constexpr float LN2_LOW = -0x1.05c610p-29f;

/**
 * exp(r) − 1 for |r| ≤ ln 2 / 2: r + r²·P(r), P split into even steps of r² for a short chain of
 * operations.
 */
inline Vector exponentialMinusOneNearZero(Vector r) {
  const Vector square = r * r;
  const Vector low = multiplyAdd(r, broadcast(0x1.5554b0p-3f), broadcast(0x1.fffffep-2f));
  const Vector middle = multiplyAdd(r, broadcast(0x1.1227b0p-7f), broadcast(0x1.555674p-5f));
  const Vector high = multiplyAdd(square, broadcast(0x1.6bebfep-10f), middle);
  return multiplyAdd(multiplyAdd(square, high, low), square, r);
}

inline Vector exponential(Vector x) {
  // Beyond these bounds the result is 0 or infinity; within them n stays finite. NaN passes as the second
  // operand.
  x = maximum(broadcast(-105), minimum(broadcast(88.9f), x));
  const Vector n = roundToEven(x * broadcast(LOG2_E));
  Vector r = subtractProduct(x, n, broadcast(LN2_HIGH));
  r = subtractProduct(r, n, broadcast(LN2_LOW));
  return scale(broadcast(1) + exponentialMinusOneNearZero(r), n);
}

/** σ(x) = 1 / (1 + exp(−x)), the split taken from −x. */
inline Vector sigmoid(Vector x) {
  x = maximum(broadcast(-88.9f), minimum(broadcast(105), x));
  const Vector n = roundToEven(x * broadcast(-LOG2_E));
  Vector r = negativeProductMinus(n, broadcast(LN2_HIGH), x);
  r = subtractProduct(r, n, broadcast(LN2_LOW));
  const Vector e = scale(broadcast(1) + exponentialMinusOneNearZero(r), n);
  return broadcast(1) / (broadcast(1) + e);
}

/**
 * tanh(|x|) = m / (m + 2), m = exp(2|x|) − 1 = 2ⁿ·(exp(r) − 1) + (2ⁿ − 1), with the sign of x: odd to the bit, no
 * cancellation near zero.
 */
inline Vector hyperbolicTangent(Vector x) {
  const Vector sign = bitAnd(x, broadcast(-0.0f));
  const Vector size = bitXor(x, sign);
  // tanh(10) rounds to 1 in float32.
  const Vector y = minimum(broadcast(20), size + size);
  const Vector n = roundToEven(y * broadcast(LOG2_E));
  Vector r = subtractProduct(y, n, broadcast(LN2_HIGH));
  r = subtractProduct(r, n, broadcast(LN2_LOW));
  const Vector power = powerOfTwo(n);
  const Vector m = multiplyAdd(exponentialMinusOneNearZero(r), power, power - broadcast(1));
  return bitXor(m / (m + broadcast(2)), sign);
}

}  // namespace threadloom::THREADLOOM_PATH
