import test from 'ava';
import { layoutArena, memoryPlan } from '../../src/coordinator/layout.ts';
import { cut, planShards } from '../../src/coordinator/plan.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import { ParameterTable } from '../../src/model/parameters.ts';
import type { CellName, ModelSpec } from '../../src/model/spec.ts';
import { headTimes } from '../../src/model/workspace.ts';

interface Sizes {
  cell?: CellName;
  vocabulary?: number;
  layers?: number;
  dropout?: number;
  streams?: number;
  times?: number;
  workers?: number;
  moments?: number;
  evaluationStreams?: number;
}

const kernels = createReferenceKernels(new Float32Array(0), new Int32Array(0));

function plan(sizes: Sizes = {}) {
  const { cell = 'lstm', vocabulary = 30, layers = 2, dropout = 0.1, streams = 10 } = sizes;
  const { times = 6, workers = 3, moments = 2, evaluationStreams = 5 } = sizes;
  const spec: ModelSpec = {
    cell,
    activation: 'tanh',
    vocabulary,
    embed: 5,
    hidden: 7,
    layers,
    dropout,
  };
  const lanes = cut(streams, Math.min(8, streams));
  return layoutArena(
    {
      table: new ParameterTable(spec),
      times,
      evaluation: cut(evaluationStreams, Math.min(workers, evaluationStreams)),
      training: {
        streams,
        lanes,
        shards: planShards(lanes, workers),
        headTimes: headTimes(spec, streams, times),
        moments,
      },
    },
    kernels,
  );
}

const variants: Sizes[] = [
  {},
  { cell: 'rnn', layers: 1, dropout: 0, moments: 0 },
  { cell: 'gru', layers: 3, workers: 8 },
  { workers: 1, streams: 1, times: 1, evaluationStreams: 1 },
  { evaluationStreams: 0 },
];

for (const sizes of variants) {
  test(`regions are whole lines apart and never overlap: ${JSON.stringify(sizes)}`, (t) => {
    const { regions, words } = plan(sizes);
    let free = 16; // Word 0 means "none".
    for (const { name, offset, length, type, shape } of regions) {
      t.is(offset % 16, 0, name);
      t.true(offset >= free, name);
      t.is(
        length,
        shape.reduce((product, size) => product * size, 1),
        name,
      );
      free = offset + length * (type === 'float64' ? 2 : 1);
    }
    t.true(words >= free);
    t.is(words % 16, 0);
  });
}

test('the same plan gives the same layout', (t) => {
  t.deepEqual(plan(), plan());
});

test('both generations, carries and all ring slots are regions of their own', (t) => {
  const { parameters, moments, carries, ring, evaluationCarries } = plan();
  const offsets = [
    ...parameters,
    ...moments.flat(),
    ...carries,
    ...evaluationCarries,
    ...ring.flatMap(({ ids, targets }) => [ids, targets]),
  ];
  t.is(new Set(offsets).size, offsets.length);
  t.is(moments.length, 2);
});

test('the loader is asked for more chunks at once where they are small, each time for half of those ahead', (t) => {
  const slots = (times: number) => plan({ times, streams: 64 }).ring.length;
  t.deepEqual([16, 64, 256, 1024, 4096].map(slots), [17, 17, 9, 3, 3]);
});

test('carries hold the hidden state of every layer and stream, and the cell state of an LSTM', (t) => {
  const carryOf = (sizes: Sizes) => plan(sizes).regions.find(({ name }) => name === 'carry 0');
  t.deepEqual(carryOf({ cell: 'lstm' })?.shape, [2, 2, 10, 7]);
  t.deepEqual(carryOf({ cell: 'gru' })?.shape, [1, 2, 10, 7]);
});

test('a lane has gate gradients for each id that can occur in it, no more', (t) => {
  const rows = (sizes: Sizes) =>
    plan(sizes).regions.find(({ name }) => name === 'lane 0 gates of ids')?.shape[0];
  t.is(rows({ vocabulary: 30, streams: 8, times: 6 }), 6);
  t.is(rows({ vocabulary: 5, streams: 8, times: 6 }), 5);
});

test('the logits are bounded, whatever the vocabulary and the chunk', (t) => {
  const words = (times: number, vocabulary: number) =>
    plan({ times, vocabulary, workers: 1, streams: 8, evaluationStreams: 8 })
      .regions.filter(({ name }) => name.endsWith('logits'))
      .reduce((sum, { length }) => sum + length, 0);
  t.is(words(10, 100), 10 * 8 * 100);
  t.true(words(5000, 10_000) <= 2 ** 22);
  t.is(words(5000, 2 ** 20), 8 * 2 ** 20);
});

test('memory grows linearly with the chunk', (t) => {
  const [one, two, three] = [100, 200, 300].map((times) => plan({ times }).words);
  t.true(Math.abs(three - two - (two - one)) <= 0.02 * (two - one));
});

test('the memory plan names all bytes of the arena but the first line and the padding', (t) => {
  const layout = plan();
  const bytes = [...memoryPlan(layout).values()].reduce((sum, value) => sum + value, 0);
  t.true(bytes <= layout.words * 4);
  t.true(bytes >= layout.words * 4 - 64 * (layout.regions.length + 1));
});

test('an evaluation alone reserves one generation and no training memory', (t) => {
  const spec: ModelSpec = {
    cell: 'lstm',
    activation: 'tanh',
    vocabulary: 30,
    embed: 5,
    hidden: 7,
    layers: 2,
    dropout: 0.5,
  };
  const table = new ParameterTable(spec);
  const layout = layoutArena({ table, times: 6, evaluation: cut(5, 2) }, kernels);
  t.is(layout.parameters[0], layout.parameters[1]);
  const trained = ['gradient', 'moments', 'ring', 'snapshot'];
  const plan = memoryPlan(layout);
  for (const part of trained) t.is(plan.get(part) ?? 0, 0, part);
  t.deepEqual(layout.lanes, []);
});
