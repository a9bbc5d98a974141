import test from 'ava';
import type { Kernels } from '../../src/kernels/contract.ts';
import { viewArena } from '../../src/memory/arena.ts';
import { momentCount, type OptimizerSettings, updateRange } from '../../src/optimizer/update.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';

/** The formulas of torch.optim, one number at a time in float64; state is kept in `m` and `v`. */
type Formula = (s: { p: number; m: number; v: number }, g: number, t: number) => void;

const LR = [0.1, 0.05, 0.2, 0.1, 0.01];
const lr = (t: number) => LR[t - 1];
const adamParts = (s: { m: number; v: number }, g: number, t: number) => {
  s.m = 0.9 * s.m + 0.1 * g;
  s.v = 0.99 * s.v + 0.01 * g * g;
  return s.m / (1 - 0.9 ** t) / (Math.sqrt(s.v / (1 - 0.99 ** t)) + 1e-3);
};
const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-3 };
const off = { weightDecay: 0, clipValue: 0 };

const CASES: Record<string, { settings: OptimizerSettings; formula: Formula }> = {
  sgd: {
    settings: { optimizer: 'sgd', momentum: 0, nesterov: false, ...off },
    formula: (s, g, t) => {
      s.p -= lr(t) * g;
    },
  },
  'sgd with weight decay': {
    settings: { optimizer: 'sgd', momentum: 0, ...off, weightDecay: 0.1 },
    formula: (s, g, t) => {
      s.p -= lr(t) * (g + 0.1 * s.p);
    },
  },
  momentum: {
    settings: { optimizer: 'sgd', momentum: 0.9, nesterov: false, ...off },
    formula: (s, g, t) => {
      s.m = 0.9 * s.m + g;
      s.p -= lr(t) * s.m;
    },
  },
  'nesterov with weight decay': {
    settings: { optimizer: 'sgd', momentum: 0.9, nesterov: true, ...off, weightDecay: 0.05 },
    formula: (s, g, t) => {
      const decayed = g + 0.05 * s.p;
      s.m = 0.9 * s.m + decayed;
      s.p -= lr(t) * (decayed + 0.9 * s.m);
    },
  },
  'sgd clipped by value': {
    settings: { optimizer: 'sgd', momentum: 0.5, ...off, clipValue: 0.3 },
    formula: (s, g, t) => {
      s.m = 0.5 * s.m + Math.max(-0.3, Math.min(0.3, g));
      s.p -= lr(t) * s.m;
    },
  },
  adam: {
    settings: { optimizer: 'adam', ...ADAM, ...off },
    formula: (s, g, t) => {
      s.p -= lr(t) * adamParts(s, g, t);
    },
  },
  'adam with weight decay, clipped by value': {
    settings: { optimizer: 'adam', ...ADAM, weightDecay: 0.2, clipValue: 0.4 },
    formula: (s, g, t) => {
      s.p -= lr(t) * adamParts(s, Math.max(-0.4, Math.min(0.4, g)) + 0.2 * s.p, t);
    },
  },
  adamw: {
    settings: { optimizer: 'adamw', ...ADAM, ...off, weightDecay: 0.2 },
    formula: (s, g, t) => {
      s.p *= 1 - lr(t) * 0.2;
      s.p -= lr(t) * adamParts(s, g, t);
    },
  },
  'rmsprop with weight decay': {
    settings: { optimizer: 'rmsprop', alpha: 0.95, epsilon: 1e-3, ...off, weightDecay: 0.1 },
    formula: (s, g, t) => {
      const decayed = g + 0.1 * s.p;
      s.v = 0.95 * s.v + 0.05 * decayed * decayed;
      s.p -= (lr(t) * decayed) / (Math.sqrt(s.v) + 1e-3);
    },
  },
};

const LENGTH = 37;
const SCALE = 0.25;
const PARAMETERS = [64, 128];
const MOMENTS = [
  [192, 256],
  [320, 384],
];
const GRADIENT = 448;

/** Parameters after each of five updates, generations in turn. */
function run(kernels: Kernels, reals: Float32Array, settings: OptimizerSettings): number[][] {
  const used = MOMENTS.slice(0, momentCount(settings));
  for (let i = 0; i < LENGTH; i++) reals[PARAMETERS[0] + i] = Math.sin(i + 1);
  return LR.map((learningRate, step) => {
    for (let i = 0; i < LENGTH; i++) reals[GRADIENT + i] = gradient(i, step);
    const [now, next] = [step % 2, (step + 1) % 2];
    const before = reals.slice(PARAMETERS[now], PARAMETERS[now] + LENGTH);
    updateRange(
      kernels,
      settings,
      { gradientScale: SCALE, learningRate, updates: step + 1 },
      {
        parameters: PARAMETERS[now],
        parametersNext: PARAMETERS[next],
        moments: used.map((moment) => moment[now]),
        momentsNext: used.map((moment) => moment[next]),
        gradient: GRADIENT,
        length: LENGTH,
      },
    );
    // Never in place: the committed generation is still there.
    if (!before.every((value, i) => value === reals[PARAMETERS[now] + i]))
      throw new Error('in place');
    return [...reals.slice(PARAMETERS[next], PARAMETERS[next] + LENGTH)];
  });
}

const gradient = (i: number, step: number) => 4 * Math.cos(i * (step + 1));

function expectedRun(formula: Formula): number[][] {
  const states = Array.from({ length: LENGTH }, (_, i) => ({ p: Math.sin(i + 1), m: 0, v: 0 }));
  return LR.map((_, step) =>
    states.map((state, i) => {
      formula(state, SCALE * gradient(i, step), step + 1);
      return state.p;
    }),
  );
}

for (const backend of KERNEL_BACKENDS) {
  for (const [name, { settings, formula }] of Object.entries(CASES)) {
    test(`five updates follow the formula: ${name}, ${backend.name}`, (t) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const got = run(backend.create(memory), viewArena(memory).reals, settings);
      const errors = expectedRun(formula).flatMap((values, step) =>
        values
          .map((expected, i) => ({ step, i, expected, got: got[step][i] }))
          .filter((entry) => !(Math.abs(entry.got - entry.expected) <= 5e-6)),
      );
      t.deepEqual(errors, []);
    });
  }
}

test('an optimizer keeps the vectors it needs and no more', (t) => {
  const count = (settings: Partial<OptimizerSettings>) =>
    momentCount({ ...off, ...settings } as OptimizerSettings);
  t.is(count({ optimizer: 'sgd', momentum: 0 }), 0);
  t.is(count({ optimizer: 'sgd', momentum: 0.9 }), 1);
  t.is(count({ optimizer: 'rmsprop' }), 1);
  t.is(count({ optimizer: 'adam' }), 2);
  t.is(count({ optimizer: 'adamw' }), 2);
});
