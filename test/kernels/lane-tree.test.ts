import test from 'ava';
import fc from 'fast-check';
import { leftLanes, subtreesOf, sumTree } from '../../src/kernels/lane-tree.ts';

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
    (lane, count) => {
      if (count > 1) return undefined;
      return lanes[lane] ? firstLane + lane * stride : 0;
    },
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

test('any run of lanes is made up of whole subtrees, as few as can be', (t) => {
  const sizes = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.nat())
    .map(([total, a, b]) => ({ total, first: a % total, count: 1 + (b % (total - (a % total))) }));
  const nodes = (first: number, count: number): string[] => {
    if (count === 1) return [`${first}+1`];
    const left = leftLanes(count);
    return [`${first}+${count}`, ...nodes(first, left), ...nodes(first + left, count - left)];
  };
  fc.assert(
    fc.property(sizes, ({ total, first, count }) => {
      const all = new Set(nodes(0, total));
      const subtrees = subtreesOf(first, count, total);
      let next = first;
      for (const subtree of subtrees) {
        t.is(subtree.first, next);
        t.true(all.has(`${subtree.first}+${subtree.count}`));
        next += subtree.count;
      }
      t.is(next, first + count);
      // No larger subtree within the run holds one of them.
      for (const node of all) {
        const [start, length] = node.split('+').map(Number);
        if (start < first || start + length > first + count) continue;
        t.true(
          subtrees.some((each) => each.first <= start && each.first + each.count >= start + length),
        );
      }
    }),
  );
});

test('the sums of whole subtrees, added by whoever has them, give the bits of the whole tree', (t) => {
  for (const [i, whole] of written.entries()) {
    const total = i + 1;
    for (let cut = 1; cut < total; cut++) {
      const parts = [...subtreesOf(0, cut, total), ...subtreesOf(cut, total - cut, total)];
      const memory = new Float32Array(64);
      parts.forEach(({ first, count }, part) => {
        memory[32 + part] = treeSum(
          x.slice(first, first + count).map((value) => [value]),
          1,
        ).sum![0];
      });
      const leafOf = (first: number, count: number) => {
        const part = parts.findIndex((each) => each.first === first && each.count === count);
        return part < 0 ? undefined : 32 + part;
      };
      const addWords = (left: number, right: number, out: number) => {
        memory[out] = memory[left] + memory[right];
      };
      t.is(memory[sumTree(0, total, leafOf, addWords, 1, 1)], whole());
    }
  }
});
