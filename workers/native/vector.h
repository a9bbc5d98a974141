/**
 * One vector of float32, the same operations for each path. The operators + - * / are those of the
 * compiler's own vector types, each rounded by itself (-ffp-contract=off); a fused multiply-add is always
 * written out.
 *
 * Tails: `Lanes` says which lanes a masked load or store touches; the other lanes load as zero and are
 * not stored. An element thus meets the same instructions wherever it stands.
 */
#pragma once

#include "kernels.h"

#if defined(__AVX512F__)
#include "vector-avx512.h"
#else
#include "vector-avx2.h"
#endif

namespace threadloom::THREADLOOM_PATH {

/** All lanes: picks the unmasked load and store. */
struct AllLanes {};

inline Vector load(const float* from, AllLanes) { return load(from); }
inline void store(float* to, Vector value, AllLanes) { store(to, value); }

/** Calls visit(i, lanes) for each vector of n elements: whole ones, then the tail. */
template <class Visit>
inline void forEachVector(Size n, Visit visit) {
  Size i = 0;
  for (; i + WIDTH <= n; i += WIDTH) visit(i, AllLanes{});
  if (i < n) visit(i, firstLanes(n - i));
}

}  // namespace threadloom::THREADLOOM_PATH
