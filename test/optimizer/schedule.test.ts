import test from 'ava';
import { learningRate, type Schedule } from '../../src/optimizer/schedule.ts';

const constant: Schedule = { schedule: 'constant', lr: 0.4, warmup: 0 };
const cosine: Schedule = { schedule: 'cosine', lr: 0.4, warmup: 0 };
const steps: Schedule = { schedule: 'step', lr: 0.4, warmup: 0, decayEvery: 10, decayFactor: 0.5 };

test('constant stays', (t) => {
  t.deepEqual(
    [0, 1, 99, 1000].map((step) => learningRate(constant, step, 100)),
    [0.4, 0.4, 0.4, 0.4],
  );
});

test('the warm-up rises linearly to the rate at its last step, whatever follows', (t) => {
  for (const schedule of [constant, cosine, steps]) {
    const rates = [0, 1, 2, 3].map((step) => learningRate({ ...schedule, warmup: 4 }, step, 100));
    t.deepEqual(rates, [0.1, 0.2, (0.4 * 3) / 4, 0.4]);
    t.is(learningRate({ ...schedule, warmup: 4 }, 4, 100), 0.4);
  }
});

test('cosine falls from the rate to zero over the steps after the warm-up', (t) => {
  const schedule = { ...cosine, warmup: 20 };
  t.is(learningRate(schedule, 20, 120), 0.4);
  t.true(Math.abs(learningRate(schedule, 70, 120) - 0.2) < 1e-15);
  t.true(Math.abs(learningRate(schedule, 45, 120) - 0.2 * (1 + Math.SQRT1_2)) < 1e-15);
  t.is(learningRate(schedule, 120, 120), 0);
  t.is(learningRate(schedule, 500, 120), 0);
});

test('cosine never rises', (t) => {
  const rates = Array.from({ length: 130 }, (_, step) => learningRate(cosine, step, 120));
  t.true(rates.every((rate, i) => i === 0 || rate <= rates[i - 1]));
});

test('the schedule is never behind the clock', (t) => {
  t.true(Math.abs(learningRate(cosine, 0, 1e9, 0.5) - 0.2) < 1e-15);
  t.is(learningRate(cosine, 0, 1e9, 1), 0);
  t.is(learningRate(cosine, 3, 1e9, 1.5), 0);
  t.true(Math.abs(learningRate(cosine, 60, 120, 0.1) - 0.2) < 1e-15);
  t.is(learningRate(constant, 3, 100, 0.9), 0.4);
  t.is(learningRate(steps, 3, 100, 0.9), 0.4);
});

test('a warm-up as long as the run is no division by zero', (t) => {
  t.is(learningRate({ ...cosine, warmup: 10 }, 10, 10), 0.4);
  t.is(learningRate({ ...cosine, warmup: 10 }, 9, 10), 0.4);
});

test('by steps: a factor after every so many steps since the warm-up', (t) => {
  const at = (step: number) => learningRate({ ...steps, warmup: 5 }, step, 1000);
  t.deepEqual([5, 14, 15, 24, 25, 35].map(at), [0.4, 0.4, 0.2, 0.2, 0.1, 0.05]);
});
