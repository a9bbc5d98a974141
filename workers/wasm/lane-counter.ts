/**
 * The tree of src/kernels/lane-tree.ts, walked lane by lane: as a binary counter of lanes holds a bit
 * for each power of two, there is a sum that waits for its right neighbour for each such bit. A lane
 * completes the sums whose bits its carry clears; the last lane completes all.
 */

/** Sums that wait before lane `index` is added. */
// @ts-ignore: decorator
@inline
export function countWaiting(index: i32): i32 {
  return popcnt(index);
}

/** Of them, those that lane `index` completes. */
// @ts-ignore: decorator
@inline
export function countCompleted(index: i32, lanes: i32): i32 {
  return index + 1 == lanes ? popcnt(index) : ctz(~index);
}

/** Sums that must be held at a time: those that wait at most, and the one under way. */
export function countLevels(lanes: i32): i32 {
  let levels = 1;
  for (let capacity = 1; capacity < lanes; capacity <<= 1) levels++;
  return levels;
}
