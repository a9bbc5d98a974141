/**
 * The tree of src/kernels/lane-tree.ts, walked lane by lane: as a binary counter of lanes holds a bit for
 * each power of two, there is a sum that waits for its right neighbour for each such bit. A lane completes
 * the sums whose bits its carry clears; the last lane completes all.
 */
#pragma once

#include "kernels.h"

namespace threadloom::THREADLOOM_PATH {

/** Levels of a tree of 2³¹ lanes. */
constexpr Size MAXIMUM_LEVELS = 32;

/** Sums that wait before lane `index` is added. */
inline Size countWaiting(Size index) { return __builtin_popcountll(index); }

/** Of them, those that lane `index` completes. */
inline Size countCompleted(Size index, Size lanes) {
  return index + 1 == lanes ? countWaiting(index) : __builtin_ctzll(~index);
}

/** Sums that must be held at a time: those that wait at most, and the one under way. */
inline Size countLevels(Size lanes) {
  Size levels = 1;
  for (Size capacity = 1; capacity < lanes; capacity *= 2) levels++;
  return levels;
}

}  // namespace threadloom::THREADLOOM_PATH
