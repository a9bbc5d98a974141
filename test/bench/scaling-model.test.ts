import test from 'ava';
import { fitScaling, predictSeconds } from '../../src/bench/scaling-model.ts';

const WORKERS = [1, 2, 4, 8];
const pointsOf = (seconds: (workers: number) => number) =>
  WORKERS.map((workers) => ({ workers, seconds: seconds(workers) }));

test('a fit finds the parts that the times were made of, and predicts more workers', (t) => {
  const model = fitScaling(pointsOf((w) => 0.3 + 4 / w + 0.05 * Math.log2(w)));
  t.true(Math.abs(model.serialSeconds - 0.3) < 1e-9);
  t.true(Math.abs(model.parallelSeconds - 4) < 1e-9);
  t.true(Math.abs(model.reductionSeconds - 0.05) < 1e-9);
  t.true(Math.abs(predictSeconds(model, 16) - (0.3 + 4 / 16 + 0.2)) < 1e-9);
});

test('no part is below zero, even where that would fit better', (t) => {
  const model = fitScaling(pointsOf((w) => 4 / w - 0.01 * Math.log2(w)));
  t.true(Object.values(model).every((part) => part >= 0));
  t.true(Math.abs(predictSeconds(model, 1) - 4) < 0.1);
});

test('fewer than four worker counts are not fitted', (t) => {
  const points = pointsOf((w) => 1 / w).slice(0, 3);
  t.throws(() => fitScaling(points), { instanceOf: RangeError, message: /4 points, got 3/ });
});
