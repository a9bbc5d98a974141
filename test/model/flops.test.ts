import test from 'ava';
import { flopsPerToken } from '../../src/model/flops.ts';
import type { ModelSpec } from '../../src/model/spec.ts';

const base: ModelSpec = {
  cell: 'lstm',
  activation: 'tanh',
  vocabulary: 65,
  embed: 128,
  hidden: 128,
  layers: 2,
  dropout: 0,
};

test('the work of a token is six operations a weight, the first input weights left out', (t) => {
  t.is(flopsPerToken(base), 6 * (3 * 4 * 128 * 128 + 65 * 128));
  t.is(flopsPerToken({ ...base, cell: 'gru', layers: 1 }), 6 * (3 * 128 * 128 + 65 * 128));
  t.is(flopsPerToken({ ...base, embed: 7 }), flopsPerToken(base));
});
