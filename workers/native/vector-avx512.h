/** Sixteen lanes of AVX-512; see vector.h. */
#pragma once

#include <immintrin.h>

#include "kernels.h"

namespace threadloom::THREADLOOM_PATH {

using Vector = __m512;
using Integers = __m512i;
using Lanes = __mmask16;
constexpr Size WIDTH = 16;

/** The first `count` lanes, 0 ≤ count ≤ WIDTH. */
inline Lanes firstLanes(Size count) { return static_cast<Lanes>((1u << count) - 1); }

inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
inline Vector load(const float* from, Lanes lanes) { return _mm512_maskz_loadu_ps(lanes, from); }
inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
inline void store(float* to, Vector value, Lanes lanes) { _mm512_mask_storeu_ps(to, lanes, value); }
inline Vector broadcast(float value) { return _mm512_set1_ps(value); }

/** a·b + c, c − a·b and −a·b − c, rounded once. */
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector subtractProduct(Vector c, Vector a, Vector b) { return _mm512_fnmadd_ps(a, b, c); }
inline Vector negativeProductMinus(Vector a, Vector b, Vector c) {
  return _mm512_fnmsub_ps(a, b, c);
}
/** sum = a·b + sum, rounded once. */
inline void addProduct(Vector& sum, Vector a, Vector b) { sum = multiplyAdd(a, b, sum); }
/** The second operand where either is NaN. */
inline Vector minimum(Vector a, Vector b) { return _mm512_min_ps(a, b); }
inline Vector maximum(Vector a, Vector b) { return _mm512_max_ps(a, b); }
inline Vector bitAnd(Vector a, Vector b) { return _mm512_and_ps(a, b); }
inline Vector bitXor(Vector a, Vector b) { return _mm512_xor_ps(a, b); }
inline Vector squareRoot(Vector a) { return _mm512_sqrt_ps(a); }
inline Vector roundToEven(Vector a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/** 2ⁿ for whole n, |n| ≤ 126. */
inline Vector powerOfTwo(Vector n) { return _mm512_scalef_ps(_mm512_set1_ps(1), n); }
/** a · 2ⁿ for whole n, as IEEE arithmetic rounds it. */
inline Vector scale(Vector a, Vector n) { return _mm512_scalef_ps(a, n); }

/** `then` where `lanes` holds the lane, else `otherwise`. */
inline Vector select(Lanes lanes, Vector then, Vector otherwise) {
  return _mm512_mask_blend_ps(lanes, otherwise, then);
}
/** False on NaN. */
inline Lanes greaterThan(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }

inline Integers broadcastInteger(std::uint32_t value) {
  return _mm512_set1_epi32(static_cast<std::int32_t>(value));
}
/** 0, 1, 2, … */
inline Integers laneNumbers() {
  return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
inline Integers addIntegers(Integers a, Integers b) { return _mm512_add_epi32(a, b); }
/** Modulo 2³². */
inline Integers multiplyIntegers(Integers a, Integers b) { return _mm512_mullo_epi32(a, b); }
template <int BITS>
inline Integers xorShiftRight(Integers a) {
  return _mm512_xor_si512(a, _mm512_srli_epi32(a, BITS));
}
/** a ≥ b, unsigned. */
inline Lanes atLeast(Integers a, Integers b) { return _mm512_cmpge_epu32_mask(a, b); }

/** Float64: half as many lanes. */
using Doubles = __m512d;
inline Doubles zeroDoubles() { return _mm512_setzero_pd(); }
inline Doubles lowDoubles(Vector a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a)); }
inline Doubles highDoubles(Vector a) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)); }
inline Doubles multiplyAdd(Doubles a, Doubles b, Doubles c) { return _mm512_fmadd_pd(a, b, c); }
inline void store(double* to, Doubles value) { _mm512_storeu_pd(to, value); }

}  // namespace threadloom::THREADLOOM_PATH
