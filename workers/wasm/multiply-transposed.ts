/**
 * c (m, n) = (accumulate ? c : 0) + Σ over lanes of aᵀ · b, a (K, m), b (K, n): the sum of the outer
 * products of a lane's rows in order of group, then row; the lanes added as the tree of
 * src/kernels/lane-tree.ts. c and scratch alias nothing.
 *
 * c is computed piece by piece, a piece lane by lane, a lane block by block over its K: a block
 * continues from what the block before stored, which changes no bit. Sums of lanes that wait for
 * their right neighbour in the tree stand in scratch, one for each bit of the number of lanes
 * added, as in a binary counter.
 */
import { countCompleted, countLevels, countWaiting } from './lane-counter';
import { addressOf } from './lanes';
import { A_COLUMNS, B_COLUMNS, multiplyBlock, packBlock } from './transposed-block';
import { add } from './vector';

const BLOCK_DEPTH: i32 = 256;
/** Rows and columns of a piece of c. */
const PIECE_M: i32 = 480;
const PIECE_N: i32 = 256;

/** Words of the sums of a piece, of the packed blocks and of one tile of c. */
export function scratchLength(groups: i32, rows: i32, lanes: i32, m: i32, n: i32): i32 {
  const depth = min(groups * rows, BLOCK_DEPTH);
  const aWords = depth * roundUp(min(m, PIECE_M), A_COLUMNS);
  const bWords = depth * roundUp(min(n, PIECE_N), B_COLUMNS);
  const sums = countLevels(lanes) * min(m, PIECE_M) * PIECE_N;
  return aWords + bWords + A_COLUMNS * B_COLUMNS + sums;
}

export function multiplyTransposed(
  a: i32,
  aStride: i32,
  aGroupStride: i32,
  b: i32,
  bStride: i32,
  bGroupStride: i32,
  groups: i32,
  laneRows: i32,
  lanes: i32,
  c: i32,
  cStride: i32,
  m: i32,
  n: i32,
  accumulate: i32,
  scratch: i32,
): void {
  for (let i = 0; i < m; i += PIECE_M) {
    for (let j = 0; j < n; j += PIECE_N) {
      multiplyPiece(
        a + i,
        aStride,
        aGroupStride,
        b + j,
        bStride,
        bGroupStride,
        groups,
        laneRows,
        lanes,
        c + i * cStride + j,
        cStride,
        min(m - i, PIECE_M),
        min(n - j, PIECE_N),
        accumulate,
        scratch,
      );
    }
  }
}

/** A piece of c. A sum under way stands behind those that wait, or in c where it is the only one. */
function multiplyPiece(
  a: i32,
  aStride: i32,
  aGroupStride: i32,
  b: i32,
  bStride: i32,
  bGroupStride: i32,
  groups: i32,
  laneRows: i32,
  lanes: i32,
  c: i32,
  cStride: i32,
  m: i32,
  n: i32,
  accumulate: i32,
  scratch: i32,
): void {
  const sumWords = m * PIECE_N;
  const operands = scratch + countLevels(lanes) * sumWords;
  const direct = lanes == 1 && !accumulate;
  for (let lane = 0; lane < lanes; lane++) {
    const rows = i32.load(addressOf(laneRows + lane));
    const waiting = countWaiting(lane);
    const isLast = lane + 1 == lanes;
    const sum = direct ? c : scratch + waiting * sumWords;
    multiplyLane(
      a,
      aStride,
      aGroupStride,
      b,
      bStride,
      bGroupStride,
      groups,
      rows,
      sum,
      direct ? cStride : PIECE_N,
      m,
      n,
      operands,
    );
    const completed = countCompleted(lane, lanes);
    for (let level = waiting - 1; level >= waiting - completed; level--) {
      const left = scratch + level * sumWords;
      const isWhole = isLast && level == 0 && !accumulate;
      const out = isWhole ? c : left;
      addRows(left, PIECE_N, left + sumWords, PIECE_N, out, isWhole ? cStride : PIECE_N, m, n);
    }
    if (isLast && accumulate) addRows(c, cStride, scratch, PIECE_N, c, cStride, m, n);
    a += rows * aStride;
    b += rows * bStride;
  }
}

/** c (m, n) = aᵀ · b of one lane, block by block. */
function multiplyLane(
  a: i32,
  aStride: i32,
  aGroupStride: i32,
  b: i32,
  bStride: i32,
  bGroupStride: i32,
  groups: i32,
  rows: i32,
  c: i32,
  cStride: i32,
  m: i32,
  n: i32,
  operands: i32,
): void {
  const k = groups * rows;
  const tile = addressOf(operands);
  const aPanels = tile + addressOf(A_COLUMNS * B_COLUMNS);
  let p = 0;
  do {
    const depth = min(k - p, BLOCK_DEPTH);
    const bPanels = aPanels + addressOf(depth * roundUp(m, A_COLUMNS));
    packBlock(A_COLUMNS, a, aStride, aGroupStride, rows, p, depth, m, aPanels);
    packBlock(B_COLUMNS, b, bStride, bGroupStride, rows, p, depth, n, bPanels);
    multiplyBlock(
      aPanels,
      bPanels,
      depth,
      addressOf(c),
      addressOf(cStride),
      m,
      n,
      p == 0,
      tile,
    );
    p += BLOCK_DEPTH;
  } while (p < k);
}

/** out (m, n) = left + right; out may be left. */
function addRows(
  left: i32,
  leftStride: i32,
  right: i32,
  rightStride: i32,
  out: i32,
  outStride: i32,
  m: i32,
  n: i32,
): void {
  for (let i = 0; i < m; i++) {
    add(left, right, out, n);
    left += leftStride;
    right += rightStride;
    out += outStride;
  }
}

function roundUp(count: i32, multiple: i32): i32 {
  return ((count + multiple - 1) / multiple) * multiple;
}
