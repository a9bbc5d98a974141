/**
 * A step of the GRU cell, all its rows: gates (R, 4H) in the order r, z, n, u, all else (R, H).
 * Nothing aliases but as the contract says (each operation rewrites `gates`).
 * Tails of a row: vectors of fewer numbers, the same operations.
 * Source: Cho et al. 2014, reset gate after the recurrent product; the equations of torch.nn.GRU.
 */
import { addressOf, LANES, load, multiplyAdd, store, VECTOR_BYTES } from './lanes';
import { applySigmoid, tanh } from './math';

/** r, z = σ of the gates; n = tanh(n + r ⊙ u); hidden = (1 − z) ⊙ n + z ⊙ hiddenBefore; u stays. */
export function gruForward(
  gates: i32,
  hiddenBefore: i32,
  hidden: i32,
  rows: i32,
  width: i32,
): void {
  const gateBytes = addressOf(width);
  for (let row = 0; row < rows; row++) {
    let gate = addressOf(gates + row * 4 * width);
    let before = addressOf(hiddenBefore + row * width);
    let out = addressOf(hidden + row * width);
    applySigmoid(gate, 2 * width);
    let left = width;
    for (; left >= LANES; left -= LANES) {
      forwardUnits(gate, gateBytes, before, out, LANES);
      gate += VECTOR_BYTES;
      before += VECTOR_BYTES;
      out += VECTOR_BYTES;
    }
    if (left > 0) forwardUnits(gate, gateBytes, before, out, left);
  }
}

/** The candidates n and the hidden states, from the activations r and z. */
// @ts-ignore: decorator
@inline
function forwardUnits(
  gateR: usize,
  gateBytes: usize,
  hiddenBefore: usize,
  hidden: usize,
  count: i32,
): void {
  const gateZ = gateR + gateBytes;
  const gateN = gateZ + gateBytes;
  const gateU = gateN + gateBytes;
  const r = load(gateR, count);
  const z = load(gateZ, count);
  const n = tanh(multiplyAdd(r, load(gateU, count), load(gateN, count)));
  store(gateN, n, count);
  const carried = f32x4.mul(z, load(hiddenBefore, count));
  store(hidden, multiplyAdd(f32x4.sub(f32x4.splat(1), z), n, carried), count);
}

/**
 * With dn = dHidden·(1−z)(1−n²), the gates become dn·u·r(1−r), dHidden·(hiddenBefore − n)·z(1−z),
 * dn, dn·r, and dHiddenBefore += dHidden ⊙ z.
 */
export function gruBackward(
  gates: i32,
  hiddenBefore: i32,
  dHidden: i32,
  dHiddenBefore: i32,
  rows: i32,
  width: i32,
): void {
  const gateBytes = addressOf(width);
  for (let row = 0; row < rows; row++) {
    let gate = addressOf(gates + row * 4 * width);
    const first = row * width;
    let before = addressOf(hiddenBefore + first);
    let dh = addressOf(dHidden + first);
    let dBefore = addressOf(dHiddenBefore + first);
    let left = width;
    for (; left >= LANES; left -= LANES) {
      backwardUnits(gate, gateBytes, before, dh, dBefore, LANES);
      gate += VECTOR_BYTES;
      before += VECTOR_BYTES;
      dh += VECTOR_BYTES;
      dBefore += VECTOR_BYTES;
    }
    if (left > 0) backwardUnits(gate, gateBytes, before, dh, dBefore, left);
  }
}

// @ts-ignore: decorator
@inline
function backwardUnits(
  gateR: usize,
  gateBytes: usize,
  hiddenBefore: usize,
  dHidden: usize,
  dHiddenBefore: usize,
  count: i32,
): void {
  const one = f32x4.splat(1);
  const gateZ = gateR + gateBytes;
  const gateN = gateZ + gateBytes;
  const gateU = gateN + gateBytes;
  const r = load(gateR, count);
  const z = load(gateZ, count);
  const n = load(gateN, count);
  const dh = load(dHidden, count);
  const dhKept = f32x4.mul(dh, f32x4.sub(one, z));
  const dn = f32x4.mul(dhKept, f32x4.sub(one, f32x4.mul(n, n)));
  const dnR = f32x4.mul(dn, r);
  const dZ = f32x4.mul(f32x4.mul(dhKept, z), f32x4.sub(load(hiddenBefore, count), n));
  store(gateR, f32x4.mul(f32x4.mul(dnR, load(gateU, count)), f32x4.sub(one, r)), count);
  store(gateZ, dZ, count);
  store(gateN, dn, count);
  store(gateU, dnR, count);
  store(dHiddenBefore, multiplyAdd(dh, z, load(dHiddenBefore, count)), count);
}
