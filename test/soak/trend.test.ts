import test from 'ava';
import { Draws } from '../torture/draws.ts';
import { fitTrend, fitWandering, grows } from './trend.ts';

const x = Array.from({ length: 200 }, (_, i) => 1000 * i);

test('a straight line has its slope and no error', (t) => {
  const { slope, error, mean } = fitTrend([0, 10, 20, 30], [5, 8, 11, 14]);
  t.true(Math.abs(slope - 0.3) < 1e-12);
  t.true(error < 1e-12);
  t.is(mean, 9.5);
});

test('the slope and its error of a worked example', (t) => {
  // Residuals −0.2, 0.6, −0.6, 0.2: sum of squares 0.8, no positive correlation of neighbours; error √(0.4 / 5).
  const { slope, error } = fitTrend([1, 2, 3, 4], [1, 3, 3, 5]);
  t.true(Math.abs(slope - 1.2) < 1e-12);
  t.true(Math.abs(error - Math.sqrt(0.4 / 5)) < 1e-12);
});

test('noise is no growth, a leak within the noise of single samples is', (t) => {
  const draws = new Draws(1);
  const noise = x.map(() => 1e6 * (draws.share() - 0.5));
  t.false(grows(fitTrend(x, noise), 1));
  const leak = noise.map((value, i) => value + 8 * x[i]);
  t.true(grows(fitTrend(x, leak), 1));
});

test('a sawtooth, whose samples depend on each other, is no growth', (t) => {
  for (let shift = 0; shift < 40; shift++) {
    const saw = x.map((_, i) => 1e6 * ((i + shift) % 40));
    t.false(grows(fitTrend(x, saw), 1), `shifted by ${shift}`);
  }
});

/** Chance lasts for some fifty samples, and noise of each sample's own hides it from its neighbours. */
function wandering(seed: number, samples: number): number[] {
  const draws = new Draws(seed);
  let value = 0;
  return Array.from({ length: samples }, () => {
    value = 0.98 * value + draws.share() - 0.5;
    return value + 5 * (draws.share() - 0.5);
  });
}

test('memory that wanders is no growth, memory that grows while it wanders is', (t) => {
  const steps = Array.from({ length: 2000 }, (_, i) => 100 * i);
  const seeds = Array.from({ length: 100 }, (_, i) => i + 1);
  const found = (trendOf: typeof fitTrend, leak: number) =>
    seeds.filter((seed) => {
      const y = wandering(seed, steps.length).map((value, i) => value + leak * steps[i]);
      return grows(trendOf(steps, y), 0);
    }).length;
  t.true(found(fitWandering, 0) <= 2);
  t.true(found(fitTrend, 0) > 20, 'single samples deceive');
  t.is(found(fitWandering, 2e-4), seeds.length);
});
