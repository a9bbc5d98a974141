/**
 * The elementary functions inside the kernels, against float64, with the bounds that the contract
 * needs.
 */
import test from 'ava';
import { KERNEL_BACKENDS, type KernelBackend } from '../helpers/kernel-backends.ts';
import { Bed } from './bed.ts';

/** Greatest absolute error of tanh and σ; their values are at most 1. */
const ABSOLUTE = 1.2e-7;
/** Greatest relative error, wherever the value is a normal float32. */
const RELATIVE = 2.4e-7;

const { NaN: NOT_A_NUMBER, POSITIVE_INFINITY: INFINITE } = Number;

/** ±x for x from 1e-38 to 100: even steps for the bend, powers for the ends. */
const ARGUMENTS = Float32Array.from(
  [
    ...Array.from({ length: 20_000 }, (_, i) => i / 2000),
    ...Array.from({ length: 20_000 }, (_, i) => 10 ** (i / 500 - 38)),
  ].flatMap((x) => [x, -x]),
);

function tanh(backend: KernelBackend, arguments_: ArrayLike<number>): Float32Array {
  const bed = new Bed(backend);
  const x = bed.vector(arguments_.length, (i) => arguments_[i]);
  bed.kernels.rnnForward(x.offset, x.offset, 1, x.width, 0);
  return bed.numbersOf(x);
}

/** σ as the reset gate of a GRU step. */
function sigmoid(backend: KernelBackend, arguments_: ArrayLike<number>): Float32Array {
  const bed = new Bed(backend);
  const width = arguments_.length;
  const gates = bed.vector(4 * width, (i) => (i < width ? arguments_[i] : 0));
  const before = bed.vector(width, () => 0);
  const hidden = bed.vector(width, () => 0);
  bed.kernels.gruForward(gates.offset, before.offset, hidden.offset, 1, width);
  return bed.numbersOf({ ...gates, width });
}

/** eˣ of x ≤ 0, in rows of softmax (0, x): the ratio of their two numbers. */
function exponential(backend: KernelBackend, arguments_: ArrayLike<number>): Float64Array {
  const bed = new Bed(backend);
  const rows = arguments_.length;
  const logits = bed.matrix(rows, 3, 3, (i, j) => [0, arguments_[i], -INFINITE][j]);
  const targets = bed.indices(rows, 1);
  bed.ints.fill(2, targets, targets + rows);
  const losses = bed.vector(rows);
  bed.kernels.softmaxCrossEntropy(logits.offset, targets, rows, 3, losses.offset);
  const softmax = bed.numbersOf(logits);
  return Float64Array.from({ length: rows }, (_, i) => softmax[3 * i + 1] / softmax[3 * i]);
}

function worstErrors(
  arguments_: ArrayLike<number>,
  values: ArrayLike<number>,
  exact: (x: number) => number,
): { absolute: number; relative: number } {
  let [absolute, relative] = [0, 0];
  for (let i = 0; i < arguments_.length; i++) {
    const want = exact(arguments_[i]);
    const error = Math.abs(values[i] - want);
    absolute = Math.max(absolute, error);
    if (Math.abs(want) > 1.2e-38) relative = Math.max(relative, error / Math.abs(want));
  }
  return { absolute, relative };
}

for (const backend of KERNEL_BACKENDS) {
  test(`${backend.name}: tanh keeps its bounds, absolute and relative`, (t) => {
    const { absolute, relative } = worstErrors(ARGUMENTS, tanh(backend, ARGUMENTS), Math.tanh);
    t.true(absolute <= ABSOLUTE, `absolute error ${absolute}`);
    t.true(relative <= RELATIVE, `relative error ${relative}`);
  });

  test(`${backend.name}: the logistic function keeps its bounds, absolute and relative`, (t) => {
    const values = sigmoid(backend, ARGUMENTS);
    const { absolute, relative } = worstErrors(ARGUMENTS, values, (x) => 1 / (1 + Math.exp(-x)));
    t.true(absolute <= ABSOLUTE, `absolute error ${absolute}`);
    t.true(relative <= RELATIVE, `relative error ${relative}`);
  });

  test(`${backend.name}: the exponential of a softmax keeps its relative bound`, (t) => {
    const negative = ARGUMENTS.filter((x) => x <= 0 && x > -86);
    const { relative } = worstErrors(negative, exponential(backend, negative), Math.exp);
    t.true(relative <= 2 * RELATIVE, `relative error ${relative}`);
  });

  test(`${backend.name}: tanh is odd and exact at zero, infinity, NaN and in saturation`, (t) => {
    const arguments_ = [0, 1e-40, 9.1, 30, INFINITE, NOT_A_NUMBER];
    const tiny = Math.fround(1e-40);
    t.deepEqual([...tanh(backend, arguments_)], [0, tiny, 1, 1, 1, NOT_A_NUMBER]);
    const negative = arguments_.map((x) => -x);
    t.deepEqual([...tanh(backend, negative)], [-0, -tiny, -1, -1, -1, NOT_A_NUMBER]);
  });

  test(`${backend.name}: the logistic function is exact at zero, infinity and NaN`, (t) => {
    const arguments_ = [0, -0, 20, INFINITE, -INFINITE, NOT_A_NUMBER];
    t.deepEqual([...sigmoid(backend, arguments_)], [0.5, 0.5, 1, 1, 0, NOT_A_NUMBER]);
  });

  test(`${backend.name}: a value does not depend on its place in a vector`, (t) => {
    for (let length = 1; length <= 9; length++) {
      const same = Array.from({ length }, () => 0.7310585975646973);
      t.is(new Set(tanh(backend, same)).size, 1);
      t.deepEqual(tanh(backend, same)[0], tanh(backend, same.slice(0, 1))[0]);
      t.deepEqual(sigmoid(backend, same)[length - 1], sigmoid(backend, same.slice(0, 1))[0]);
    }
  });
}
