import test from 'ava';
import { SparseIndex } from '../../src/data/sparse-index.ts';

test('Every stride-th symbol is kept, whatever the pieces it comes in', (t) => {
  const whole = new SparseIndex(8, 4);
  whole.add(0, 100, 20);
  t.deepEqual([...whole.offsets], [100, 104, 108, 112, 116]);

  const pieces = new SparseIndex(8, 4);
  for (const [symbol, count] of [
    [0, 3],
    [3, 1],
    [4, 1],
    [5, 0],
    [5, 15],
  ]) {
    pieces.add(symbol, 100 + symbol, count);
  }
  t.deepEqual(pieces.offsets, whole.offsets);
  t.is(whole.next, 20);
});

test('Symbols of several bytes are kept one by one', (t) => {
  const index = new SparseIndex(8, 2);
  for (let symbol = 0; symbol < 5; symbol++) index.add(symbol, symbol * 3, 1);
  t.deepEqual([...index.offsets], [0, 6, 12]);
});

test('One offset more than fits drops every other and doubles the stride', (t) => {
  const index = new SparseIndex(4, 2);
  index.add(0, 0, 8);
  t.is(index.stride, 2);
  t.deepEqual([...index.offsets], [0, 2, 4, 6]);
  index.add(8, 8, 1);
  t.is(index.stride, 4);
  t.deepEqual([...index.offsets], [0, 4, 8]);
  index.add(9, 9, 100);
  t.is(index.stride, 32);
  t.deepEqual([...index.offsets], [0, 32, 64, 96]);
});

test('A file of a hundred million symbols keeps few offsets, all of them right', (t) => {
  const index = new SparseIndex(64, 16);
  for (let symbol = 0; symbol < 1e8; symbol += 1e4) index.add(symbol, symbol, 1e4);
  t.true(index.offsets.length <= 64 && index.offsets.length > 32);
  t.deepEqual(
    index.offsets,
    Float64Array.from({ length: index.offsets.length }, (_, i) => i * index.stride),
  );
});
