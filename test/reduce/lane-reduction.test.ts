import test from 'ava';
import { layoutArena } from '../../src/coordinator/layout.ts';
import { cut, planShards } from '../../src/coordinator/plan.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import { BLOCK, ParameterTable } from '../../src/model/parameters.ts';
import type { ModelSpec } from '../../src/model/spec.ts';
import { LaneReduction } from '../../src/reduce/lane-reduction.ts';

/** Enough that a subtree without the id stands to the left of one that has it, at every level. */
const LANES = 7;

/** Lanes with sparse embedding rows and dense other gradients, and a reduction of them. */
function reduction(vocabulary: number, embed: number) {
  const spec: ModelSpec = {
    cell: 'gru',
    activation: 'tanh',
    vocabulary,
    embed,
    hidden: 4,
    layers: 1,
    dropout: 0,
  };
  const table = new ParameterTable(spec);
  const none = createReferenceKernels(new Float32Array(0), new Int32Array(0));
  const lanes = cut(LANES, LANES);
  const training = { streams: LANES, lanes, shards: planShards(lanes, 1), moments: 0 };
  const layout = layoutArena({ table, times: 64, evaluation: [], training }, none);
  const reals = new Float32Array(layout.words);
  const ints = new Int32Array(reals.buffer);
  const doubles = new Float64Array(reals.buffer);
  const kernels = createReferenceKernels(reals, ints);
  /** What the lane's embedding gradient is, written out: (V, E). */
  const dense = lanes.map((_, lane) => {
    const { dense: others, embeddingRows, rowOfId } = layout.lanes[lane];
    for (let i = 0; i < table.paddedLength - table.embeddingPadded; i++) {
      reals[others + i] = Math.sin(i + 17 * lane) * 10 ** ((i + lane) % 7);
    }
    const whole = new Float32Array(vocabulary * embed);
    ints.fill(-1, rowOfId, rowOfId + vocabulary);
    // Id by id, every set of lanes: an id occurs in lane k where bit k of its mask is set.
    const ids = Array.from({ length: Math.min(vocabulary, 128) }, (_, id) => id);
    const present = ids.filter((id) => ((vocabulary < 128 ? 19 * id + 4 : id) >> lane) & 1);
    for (const [row, id] of present.entries()) {
      ints[rowOfId + id] = row;
      for (let e = 0; e < embed; e++) {
        const value = Math.fround(Math.cos(id * embed + e + lane) * 10 ** (lane % 4));
        reals[embeddingRows + row * embed + e] = value;
        whole[id * embed + e] = value;
      }
    }
    return whole;
  });
  const blocks = table.paddedLength / BLOCK;
  const run = (first = 0, count = blocks) =>
    new LaneReduction(table, kernels, layout, ints, doubles).reduce(
      first,
      count,
      layout.shards[0].tree,
    );
  return { table, layout, reals, doubles, dense, blocks, run };
}

const add = (a: number, b: number) => Math.fround(a + b);
const tree = (v: number[]) =>
  add(add(add(v[0], v[1]), add(v[2], v[3])), add(add(v[4], v[5]), v[6]));

for (const [vocabulary, embed] of [
  [7, 3],
  [400, 5],
  [3, 1100],
]) {
  test(`sparse embedding rows give the bits of dense ones, V ${vocabulary}, E ${embed}`, (t) => {
    const { layout, reals, dense, run } = reduction(vocabulary, embed);
    run();
    const sums = dense[0].map((_, i) => tree(dense.map((lane) => lane[i])));
    t.deepEqual(reals.slice(layout.gradient, layout.gradient + vocabulary * embed), sums);
  });
}

test('dense gradients are summed by the tree, and lanes stay as they were', (t) => {
  const { table, layout, reals, run } = reduction(20, 3);
  const lanesOf = () =>
    layout.lanes.map(({ dense }) =>
      reals.slice(dense, dense + table.paddedLength - table.embeddingPadded),
    );
  const before = lanesOf();
  run();
  t.deepEqual(lanesOf(), before);
  const sums = before[0].map((_, i) => tree(before.map((lane) => lane[i])));
  const first = layout.gradient + table.embeddingPadded;
  t.deepEqual(reals.slice(first, layout.gradient + table.paddedLength), sums);
});

test('each block has its sum of squares', (t) => {
  const { layout, reals, doubles, blocks, run } = reduction(400, 5);
  run();
  for (let block = 0; block < blocks; block++) {
    const start = layout.gradient + block * BLOCK;
    const squares = reals.slice(start, start + BLOCK).reduce((sum, value) => sum + value ** 2, 0);
    const partial = doubles[layout.partials / 2 + block];
    t.true(Math.abs(partial - squares) <= 1e-6 * squares);
  }
});

test('any cut of the blocks, done twice and backwards, gives the same bits', (t) => {
  const whole = reduction(400, 5);
  whole.run();
  const parts = reduction(400, 5);
  for (const { first, count } of cut(parts.blocks, 3).reverse()) {
    parts.run(first, count);
    parts.run(first, count);
  }
  const { gradient, partials } = whole.layout;
  const range = [gradient, gradient + whole.table.paddedLength] as const;
  t.deepEqual(parts.reals.slice(...range), whole.reals.slice(...range));
  const sums = [partials / 2, partials / 2 + whole.blocks] as const;
  t.deepEqual(parts.doubles.slice(...sums), whole.doubles.slice(...sums));
});
