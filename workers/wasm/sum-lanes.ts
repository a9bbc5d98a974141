/**
 * out (n) = the sum over lanes of a vector each, in the tree of src/kernels/lane-tree.ts; a lane at
 * place 0 contributes nothing. Piece by piece: sums stand in scratch, a piece for each level of the
 * counter of lanes, and before them where each waiting sum stands: in a lane, at its level, or nowhere
 * (0). out and scratch alias nothing.
 */
import { countCompleted, countLevels, countWaiting } from './lane-counter';
import { addressOf } from './lanes';
import { add, copy, fill } from './vector';

const PIECE: i32 = 256;
/** Words for where the waiting sums stand: one for each bit of a number of lanes. */
const PLACES: i32 = 32;

export function sumScratchLength(lanes: i32): i32 {
  return PLACES + countLevels(lanes) * PIECE;
}

export function sumLanes(
  base: i32,
  places: i32,
  lanes: i32,
  n: i32,
  out: i32,
  scratch: i32,
): void {
  for (let first = 0; first < n; first += PIECE) {
    const count = min(n - first, PIECE);
    for (let lane = 0; lane < lanes; lane++) {
      const place = i32.load(addressOf(places + lane));
      addLane(place ? base + place + first : 0, lane, lanes, count, scratch);
    }
    const sum = i32.load(addressOf(scratch));
    if (sum) copy(sum, out + first, count);
    else fill(out + first, count, 0);
  }
}

/** Adds a piece of one lane, or none (0), to the sums that it completes, and lets the result wait. */
function addLane(piece: i32, lane: i32, lanes: i32, count: i32, scratch: i32): void {
  const levels = scratch + PLACES;
  let top = countWaiting(lane);
  let sum = piece;
  for (let left = countCompleted(lane, lanes); left > 0; left--) {
    top--;
    const other = i32.load(addressOf(scratch + top));
    if (other && sum) {
      const level = levels + top * PIECE;
      add(other, sum, level, count);
      sum = level;
    } else if (other) sum = other;
  }
  // A sum that found none to add to lies at a level it has left, where the next one would overwrite it.
  const level = levels + top * PIECE;
  const held = levels <= sum && sum < scratch + sumScratchLength(lanes);
  if (held && sum != level) {
    copy(sum, level, count);
    sum = level;
  }
  i32.store(addressOf(scratch + top), sum);
}
