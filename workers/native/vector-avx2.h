/** Eight lanes of AVX2 with FMA; see vector.h. */
#pragma once

#include <immintrin.h>

#include "kernels.h"

namespace threadloom::THREADLOOM_PATH {

using Vector = __m256;
using Integers = __m256i;
using Lanes = __m256i;
constexpr Size WIDTH = 8;

/** 0, 1, 2, … */
inline Integers laneNumbers() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
/** The first `count` lanes, 0 ≤ count ≤ WIDTH. */
inline Lanes firstLanes(Size count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), laneNumbers());
}

inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
inline Vector load(const float* from, Lanes lanes) { return _mm256_maskload_ps(from, lanes); }
/** Half a vector from each of two places. */
inline Vector loadHalves(const float* low, const float* high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}
inline void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
inline void store(float* to, Vector value, Lanes lanes) { _mm256_maskstore_ps(to, lanes, value); }
inline Vector broadcast(float value) { return _mm256_set1_ps(value); }

/** a·b + c, c − a·b and −a·b − c, rounded once. */
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline Vector subtractProduct(Vector c, Vector a, Vector b) { return _mm256_fnmadd_ps(a, b, c); }
inline Vector negativeProductMinus(Vector a, Vector b, Vector c) {
  return _mm256_fnmsub_ps(a, b, c);
}
/**
 * sum = a·b + sum, rounded once, in the register where sum is: left to itself GCC moves the many sums of an unrolled loop
 * from one to another, and some to memory.
 */
inline void addProduct(Vector& sum, Vector a, Vector b) {
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
}
/** The second operand where either is NaN. */
inline Vector minimum(Vector a, Vector b) { return _mm256_min_ps(a, b); }
inline Vector maximum(Vector a, Vector b) { return _mm256_max_ps(a, b); }
inline Vector bitAnd(Vector a, Vector b) { return _mm256_and_ps(a, b); }
inline Vector bitXor(Vector a, Vector b) { return _mm256_xor_ps(a, b); }
inline Vector squareRoot(Vector a) { return _mm256_sqrt_ps(a); }
inline Vector roundToEven(Vector a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/** 2ⁿ for whole n, |n| ≤ 126; 0 below, infinity at 128. */
inline Vector powerOfTwo(Vector n) {
  const Integers exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_max_epi32(exponent, _mm256_setzero_si256()), 23));
}
/** a · 2ⁿ for whole n ≤ 128; 0 for n ≤ −127, infinity for n = 128. */
inline Vector scale(Vector a, Vector n) { return a * powerOfTwo(n); }

/** `then` where `lanes` holds the lane, else `otherwise`. */
inline Vector select(Lanes lanes, Vector then, Vector otherwise) {
  return _mm256_blendv_ps(otherwise, then, _mm256_castsi256_ps(lanes));
}
/** False on NaN. */
inline Lanes greaterThan(Vector a, Vector b) {
  return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_GT_OQ));
}

inline Integers broadcastInteger(std::uint32_t value) {
  return _mm256_set1_epi32(static_cast<std::int32_t>(value));
}
inline Integers addIntegers(Integers a, Integers b) { return _mm256_add_epi32(a, b); }
/** Modulo 2³². */
inline Integers multiplyIntegers(Integers a, Integers b) { return _mm256_mullo_epi32(a, b); }
template <int BITS>
inline Integers xorShiftRight(Integers a) {
  return _mm256_xor_si256(a, _mm256_srli_epi32(a, BITS));
}
/** a ≥ b, unsigned. */
inline Lanes atLeast(Integers a, Integers b) {
  return _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a);
}

/** Float64: half as many lanes. */
using Doubles = __m256d;
inline Doubles zeroDoubles() { return _mm256_setzero_pd(); }
inline Doubles lowDoubles(Vector a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a)); }
inline Doubles highDoubles(Vector a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)); }
inline Doubles multiplyAdd(Doubles a, Doubles b, Doubles c) { return _mm256_fmadd_pd(a, b, c); }
inline void store(double* to, Doubles value) { _mm256_storeu_pd(to, value); }

}  // namespace threadloom::THREADLOOM_PATH
