import test from 'ava';
import { layoutArena } from '../../src/coordinator/layout.ts';
import { cut, planShards } from '../../src/coordinator/plan.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import { packAll } from '../../src/model/packing.ts';
import { BLOCK, ParameterTable } from '../../src/model/parameters.ts';
import type { ModelSpec } from '../../src/model/spec.ts';
import { countPartials, LaneReduction } from '../../src/reduce/lane-reduction.ts';

/** Enough that a subtree without the id stands to the left of one that has it, at every level. */
const LANES = 7;
const HIDDEN = 4;
/** G·H of a GRU. */
const WIDTH = 3 * HIDDEN;

/** What the lanes of a shared-out run have left in the arena, and their reduction. */
function reduction(vocabulary: number, embed: number, workers = 1) {
  const spec: ModelSpec = {
    cell: 'gru',
    activation: 'tanh',
    vocabulary,
    embed,
    hidden: HIDDEN,
    layers: 1,
    dropout: 0,
  };
  const table = new ParameterTable(spec);
  const none = createReferenceKernels(new Float32Array(0), new Int32Array(0));
  const lanes = cut(LANES, LANES);
  const shards = planShards(lanes, workers);
  const training = { streams: LANES, lanes, shards, headTimes: 64, moments: 0 };
  const layout = layoutArena({ table, times: 64, evaluation: [], training }, none);
  const reals = new Float32Array(layout.words);
  const ints = new Int32Array(reals.buffer);
  const doubles = new Float64Array(reals.buffer);
  const kernels = createReferenceKernels(reals, ints);
  const [parameters] = layout.parameters;
  for (let i = 0; i < table.paddedLength; i++) reals[parameters + i] = Math.cos(3 * i);
  packAll(kernels, table, parameters, layout.packed);
  /** Each lane's gate gradients by id, written out: (V, G·H). */
  const gates = layout.lanes.map(({ gatesOfIds, rowOfId }, lane) => {
    const whole = new Float32Array(vocabulary * WIDTH);
    ints.fill(-1, rowOfId, rowOfId + vocabulary);
    // Id by id, every set of lanes: an id occurs in lane k where bit k of its mask is set.
    const ids = Array.from({ length: Math.min(vocabulary, 128) }, (_, id) => id);
    const present = ids.filter((id) => ((vocabulary < 128 ? 19 * id + 4 : id) >> lane) & 1);
    for (const [row, id] of present.entries()) {
      ints[rowOfId + id] = row;
      for (let column = 0; column < WIDTH; column++) {
        const value = Math.fround(Math.cos(id * WIDTH + column + lane) * 10 ** (lane % 4));
        reals[gatesOfIds + row * WIDTH + column] = value;
        whole[id * WIDTH + column] = value;
      }
    }
    return whole;
  });
  for (const { gradient, firstLane } of layout.subtrees) {
    for (let i = 0; i < table.paddedLength - table.inputPadded; i++) {
      reals[gradient + i] = Math.sin(i + 17 * firstLane) * 10 ** ((i + firstLane) % 7);
    }
  }
  const reducer = new LaneReduction(table, kernels, layout, ints, doubles);
  const run = (part = 0, parts = 1) => reducer.reduce(part, parts, 0);
  const gradient = (name: string) => {
    const { start, length } = table.get(name);
    return reals.slice(layout.gradient + start, layout.gradient + start + length);
  };
  return { table, layout, reals, doubles, gates, parameters, run, gradient };
}

const add = (a: number, b: number) => Math.fround(a + b);
const tree = (v: number[]) =>
  add(add(add(v[0], v[1]), add(v[2], v[3])), add(add(v[4], v[5]), v[6]));

for (const [vocabulary, embed] of [
  [7, 3],
  [400, 5],
  [3, 1100],
]) {
  test(`gradients by id give those of embedding and input weights, V ${vocabulary}, E ${embed}`, (t) => {
    const { table, reals, gates, parameters, run, gradient } = reduction(vocabulary, embed);
    run();
    const sums = gates[0].map((_, i) => tree(gates.map((lane) => lane[i])));
    const weight = parameters + table.get('rnn.weight_ih_l0').start;
    const dot = (count: number, term: (i: number) => number) =>
      Array.from({ length: count }, (_, i) => term(i)).reduce((sum, value) => sum + value, 0);
    const dEmbedding = Float32Array.from({ length: vocabulary * embed }, (_, at) => {
      const [id, e] = [Math.floor(at / embed), at % embed];
      return dot(WIDTH, (g) => sums[id * WIDTH + g] * reals[weight + g * embed + e]);
    });
    const dWeight = Float32Array.from({ length: WIDTH * embed }, (_, at) => {
      const [g, e] = [Math.floor(at / embed), at % embed];
      return dot(vocabulary, (id) => sums[id * WIDTH + g] * reals[parameters + id * embed + e]);
    });
    t.deepEqual(gradient('embedding.weight'), dEmbedding);
    t.deepEqual(gradient('rnn.weight_ih_l0'), dWeight);
  });
}

test('the gradients of subtrees are added by the tree, and stay as they were', (t) => {
  const { table, layout, reals, run } = reduction(20, 3, 3);
  const length = table.paddedLength - table.inputPadded;
  const subtrees = () =>
    layout.subtrees.map(({ gradient }) => reals.slice(gradient, gradient + length));
  const before = subtrees();
  // Of three workers: lanes 0 and 1; 2 and 3; 4, 5 and 6.
  t.is(before.length, 3);
  for (let part = 0; part < 3; part++) run(part, 3);
  t.deepEqual(subtrees(), before);
  const [a, b, c] = before;
  const sums = a.map((_, i) => add(add(a[i], b[i]), c[i]));
  const first = layout.gradient + table.inputPadded;
  t.deepEqual(reals.slice(first, first + length), sums);
});

test('the partial sums of squares are those of the gradient', (t) => {
  const { table, layout, reals, doubles, run } = reduction(400, 5);
  run();
  const squares = (first: number, count: number) =>
    reals
      .slice(layout.gradient + first, layout.gradient + first + count)
      .reduce((sum, value) => sum + value ** 2, 0);
  const rows = [...Array(400).keys()].map((row) => squares(row * 5, 5));
  const { start } = table.get('rnn.weight_ih_l0');
  // One group of all 12 rows.
  const weights = [squares(start, WIDTH * 5)];
  const blocks = (table.paddedLength - table.inputPadded) / BLOCK;
  const others = [...Array(blocks).keys()].map((b) =>
    squares(table.inputPadded + b * BLOCK, BLOCK),
  );
  const wanted = [...rows, ...weights, ...others];
  t.is(countPartials(table), wanted.length);
  for (const [i, sum] of wanted.entries()) {
    t.true(Math.abs(doubles[layout.partials[0] / 2 + i] - sum) <= 1e-6 * sum, `partial ${i}`);
  }
});

test('any number of parts, done twice and backwards, gives the same bits', (t) => {
  const whole = reduction(400, 5, 3);
  whole.run();
  for (const parts of [2, 3]) {
    const cutUp = reduction(400, 5, 3);
    for (let part = parts - 1; part >= 0; part--) {
      cutUp.run(part, parts);
      cutUp.run(part, parts);
    }
    const { gradient, partials } = whole.layout;
    const range = [gradient, gradient + whole.table.paddedLength] as const;
    t.deepEqual(cutUp.reals.slice(...range), whole.reals.slice(...range));
    const sums = [partials[0] / 2, partials[0] / 2 + countPartials(whole.table)] as const;
    t.deepEqual(cutUp.doubles.slice(...sums), whole.doubles.slice(...sums));
  }
});

test('a part writes the gradient, its sums of squares and what the workspace has for it, and nothing else', (t) => {
  for (const parts of [1, 2, 3, LANES]) {
    const { layout, reals, run } = reduction(400, 5, parts);
    for (let part = 0; part < parts; part++) {
      const before = reals.slice();
      run(part, parts);
      const written = layout.regions.filter(({ offset, length, type }) => {
        const range = [4 * offset, (type === 'float64' ? 8 : 4) * length] as const;
        const [old, now] = [before, reals].map(({ buffer }) => Buffer.from(buffer, ...range));
        return !old.equals(now);
      });
      const ofPart = new RegExp(
        `^(gradient|partials 0|shard ${part} (distinct ids.*|embedded|projected|scratch|tree|lane places))$`,
      );
      const others = written.map(({ name }) => name).filter((name) => !ofPart.test(name));
      t.deepEqual(others, [], `part ${part} of ${parts}`);
    }
  }
});
