/**
 * A step of the LSTM cell, all its rows: gates (R, 4H) in the order i, f, g, o, all else (R, H).
 * Nothing aliases but as the contract says (each operation rewrites `gates`, the backward `dCell`).
 * Tails of a row: vectors of fewer numbers, the same operations.
 * Source: Hochreiter & Schmidhuber 1997 with forget gates; the equations of torch.nn.LSTM.
 */
import { addressOf, LANES, load, multiplyAdd, store, VECTOR_BYTES } from './lanes';
import { applySigmoid, applyTanh, tanh } from './math';

/**
 * i, f, o = σ, g = tanh of the gates; cell = f ⊙ cellBefore + i ⊙ g; hidden = o ⊙ tanh(cell). Gate
 * after gate, because short loops keep more of the functions' long chains of operations in flight.
 */
export function lstmForward(
  gates: i32,
  cellBefore: i32,
  cell: i32,
  hidden: i32,
  rows: i32,
  width: i32,
): void {
  const gateBytes = addressOf(width);
  for (let row = 0; row < rows; row++) {
    let gate = addressOf(gates + row * 4 * width);
    let before = addressOf(cellBefore + row * width);
    let after = addressOf(cell + row * width);
    let out = addressOf(hidden + row * width);
    applySigmoid(gate, 2 * width);
    applyTanh(gate + 2 * gateBytes, width);
    applySigmoid(gate + 3 * gateBytes, width);
    let left = width;
    for (; left >= LANES; left -= LANES) {
      forwardUnits(gate, gateBytes, before, after, out, LANES);
      gate += VECTOR_BYTES;
      before += VECTOR_BYTES;
      after += VECTOR_BYTES;
      out += VECTOR_BYTES;
    }
    if (left > 0) forwardUnits(gate, gateBytes, before, after, out, left);
  }
}

/** The cell and hidden states from the activations. */
// @ts-ignore: decorator
@inline
function forwardUnits(
  gate: usize,
  gateBytes: usize,
  before: usize,
  cell: usize,
  hidden: usize,
  count: i32,
): void {
  const i = load(gate, count);
  const f = load(gate + gateBytes, count);
  const g = load(gate + 2 * gateBytes, count);
  const o = load(gate + 3 * gateBytes, count);
  const c = multiplyAdd(f, load(before, count), f32x4.mul(i, g));
  store(cell, c, count);
  store(hidden, f32x4.mul(o, tanh(c)), count);
}

/**
 * With dc = dCell + dHidden ⊙ o ⊙ (1 − tanh²(cell)), the gates become dc·g·i(1−i),
 * dc·cellBefore·f(1−f), dc·i(1−g²), dHidden·tanh(cell)·o(1−o), and dCell becomes dc ⊙ f.
 */
export function lstmBackward(
  gates: i32,
  cellBefore: i32,
  cell: i32,
  dHidden: i32,
  dCell: i32,
  rows: i32,
  width: i32,
): void {
  const gateBytes = addressOf(width);
  for (let row = 0; row < rows; row++) {
    let gate = addressOf(gates + row * 4 * width);
    const first = row * width;
    let before = addressOf(cellBefore + first);
    let after = addressOf(cell + first);
    let dh = addressOf(dHidden + first);
    let dc = addressOf(dCell + first);
    let left = width;
    for (; left >= LANES; left -= LANES) {
      backwardUnits(gate, gateBytes, before, after, dh, dc, LANES);
      gate += VECTOR_BYTES;
      before += VECTOR_BYTES;
      after += VECTOR_BYTES;
      dh += VECTOR_BYTES;
      dc += VECTOR_BYTES;
    }
    if (left > 0) backwardUnits(gate, gateBytes, before, after, dh, dc, left);
  }
}

// @ts-ignore: decorator
@inline
function backwardUnits(
  gateI: usize,
  gateBytes: usize,
  cellBefore: usize,
  cell: usize,
  dHidden: usize,
  dCell: usize,
  count: i32,
): void {
  const one = f32x4.splat(1);
  const gateF = gateI + gateBytes;
  const gateG = gateF + gateBytes;
  const gateO = gateG + gateBytes;
  const i = load(gateI, count);
  const f = load(gateF, count);
  const g = load(gateG, count);
  const o = load(gateO, count);
  const tanhCell = tanh(load(cell, count));
  const dh = load(dHidden, count);
  const slope = f32x4.sub(one, f32x4.mul(tanhCell, tanhCell));
  const dc = multiplyAdd(f32x4.mul(dh, o), slope, load(dCell, count));
  const dcI = f32x4.mul(dc, i);
  const dcF = f32x4.mul(dc, f);
  const before = load(cellBefore, count);
  store(gateI, f32x4.mul(f32x4.mul(dcI, g), f32x4.sub(one, i)), count);
  store(gateF, f32x4.mul(f32x4.mul(dcF, before), f32x4.sub(one, f)), count);
  store(gateG, f32x4.mul(dcI, f32x4.sub(one, f32x4.mul(g, g))), count);
  const dO = f32x4.mul(f32x4.mul(dh, tanhCell), o);
  store(gateO, f32x4.mul(dO, f32x4.sub(one, o)), count);
  store(dCell, dcF, count);
}
