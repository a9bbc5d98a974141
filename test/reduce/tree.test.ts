import test from 'ava';
import fc from 'fast-check';
import { sumTree } from '../../src/reduce/tree.ts';

/** Sums float32 vectors of `length` with the tree, as the reduction does; lanes may contribute nothing. */
function treeSum(lanes: readonly (readonly number[] | undefined)[], length: number) {
  const stride = 16;
  const firstLane = 16 * stride;
  const memory = new Float32Array(firstLane + lanes.length * stride);
  lanes.forEach((values, lane) => {
    if (values) memory.set(values, firstLane + lane * stride);
  });
  const before = memory.slice(firstLane);
  let deepest = 0;
  const at = sumTree(
    0,
    lanes.length,
    (lane) => (lanes[lane] ? firstLane + lane * stride : 0),
    (left, right, out) => {
      deepest = Math.max(deepest, out / stride);
      for (let i = 0; i < length; i++) memory[out + i] = memory[left + i] + memory[right + i];
    },
    stride,
    stride,
  );
  return {
    sum: at ? [...memory.slice(at, at + length)] : undefined,
    before,
    memory,
    firstLane,
    deepest,
  };
}

const f = Math.fround;
/** Sums of float32 where every order gives another result. */
const x = Array.from({ length: 9 }, (_, i) => f(Math.sin(i + 1) * 100 ** (i % 3)));
const add = (a: number, b: number) => f(a + b);
const written = [
  () => x[0],
  () => add(x[0], x[1]),
  () => add(add(x[0], x[1]), x[2]),
  () => add(add(x[0], x[1]), add(x[2], x[3])),
  () => add(add(add(x[0], x[1]), add(x[2], x[3])), x[4]),
  () => add(add(add(x[0], x[1]), add(x[2], x[3])), add(x[4], x[5])),
  () => add(add(add(x[0], x[1]), add(x[2], x[3])), add(add(x[4], x[5]), x[6])),
  () => add(add(add(x[0], x[1]), add(x[2], x[3])), add(add(x[4], x[5]), add(x[6], x[7]))),
  () =>
    add(add(add(add(x[0], x[1]), add(x[2], x[3])), add(add(x[4], x[5]), add(x[6], x[7]))), x[8]),
];

for (const [i, expected] of written.entries()) {
  test(`the tree over ${i + 1} lanes adds as it is written out`, (t) => {
    const lanes = x.slice(0, i + 1).map((value) => [value, -value]);
    t.deepEqual(treeSum(lanes, 2).sum, [expected(), -expected()]);
  });
}

test('the order matters for these numbers: from left to right gives other sums', (t) => {
  const differing = written.filter((sum, i) => sum() !== x.slice(0, i + 1).reduce(add));
  t.true(differing.length >= 2);
});

test('lanes are read and never written, and scratch is log₂(S) + 1 vectors at most', (t) => {
  const lane = fc.option(fc.tuple(fc.float({ noNaN: true }), fc.float({ noNaN: true })), {
    nil: undefined,
  });
  fc.assert(
    fc.property(fc.array(lane, { minLength: 1, maxLength: 40 }), (lanes) => {
      const { before, memory, firstLane, deepest } = treeSum(lanes, 2);
      t.deepEqual(memory.slice(firstLane), before);
      t.true(deepest <= Math.ceil(Math.log2(lanes.length + 1)) + 1);
    }),
  );
});

test('a lane that contributes nothing counts as zero', (t) => {
  const value = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
      const lanes = values.map((entry) => (entry === undefined ? undefined : [entry]));
      const zeros = values.map((entry) => [entry ?? 0]);
      const { sum } = treeSum(lanes, 1);
      t.deepEqual(sum ?? [0], treeSum(zeros, 1).sum);
      t.is(
        sum === undefined,
        values.every((entry) => entry === undefined),
      );
    }),
  );
});
