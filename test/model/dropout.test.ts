import test from 'ava';
import { viewArena } from '../../src/memory/arena.ts';
import { cellOf } from '../../src/model/cells/cell.ts';
import type { NetworkContext } from '../../src/model/layers/context.ts';
import { applyDropout, type DropoutKey } from '../../src/model/layers/dropout.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';

const H = 32;
const T = 8;
const SOURCE = 1024;

/** Ones (T, rows, H) after dropout. */
function dropped(
  rate: number,
  key: DropoutKey,
  rows: number,
  layer = 0,
  backend = KERNEL_BACKENDS[0],
) {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const { reals } = viewArena(memory);
  const kernels = backend.create(memory);
  const spec = {
    cell: 'rnn',
    activation: 'tanh',
    vocabulary: 2,
    embed: 1,
    hidden: H,
    layers: 1,
    dropout: rate,
  } as const;
  const length = T * rows * H;
  reals.fill(1, SOURCE, SOURCE + length);
  const context = { spec, kernels, cell: cellOf(spec) } as unknown as NetworkContext;
  const chunk = { parameters: 0, times: T, rows, headTimes: T };
  applyDropout(context, chunk, layer, key, SOURCE, SOURCE + length);
  return reals.slice(SOURCE + length, SOURCE + 2 * length);
}

const KEY: DropoutKey = { seed: 1, step: 5, firstStream: 0 };

for (const backend of KERNEL_BACKENDS) {
  for (const rate of [0.1, 0.5, 0.95]) {
    test(`a share of ${rate} is zero, the rest scaled so that the mean stays: ${backend.name}`, (t) => {
      const values = dropped(rate, KEY, 64, 0, backend);
      const zeros = values.filter((value) => value === 0).length / values.length;
      t.true(Math.abs(zeros - rate) < 4 * Math.sqrt((rate * (1 - rate)) / values.length));
      const scale = Math.fround(1 / (1 - rate));
      t.true(values.every((value) => value === 0 || Math.abs(value - scale) < 1e-5 * scale));
    });
  }

  test(`masks are those of the reference: ${backend.name}`, (t) => {
    t.deepEqual(dropped(0.3, KEY, 5, 1, backend), dropped(0.3, KEY, 5, 1));
  });
}

test('a stream has its mask, whichever shard it is in', (t) => {
  const whole = dropped(0.4, KEY, 6);
  const part = dropped(0.4, { ...KEY, firstStream: 2 }, 3);
  for (let time = 0; time < T; time++) {
    const rows = whole.slice((time * 6 + 2) * H, (time * 6 + 5) * H);
    t.deepEqual(part.slice(time * 3 * H, (time + 1) * 3 * H), rows);
  }
});

test('seed, step, layer and time each give another mask', (t) => {
  const mask = dropped(0.5, KEY, 4);
  t.notDeepEqual(dropped(0.5, { ...KEY, seed: 2 }, 4), mask);
  t.notDeepEqual(dropped(0.5, { ...KEY, step: 6 }, 4), mask);
  t.notDeepEqual(dropped(0.5, KEY, 4, 1), mask);
  t.notDeepEqual(mask.slice(0, 4 * H), mask.slice(4 * H, 8 * H));
  t.deepEqual(dropped(0.5, KEY, 4), mask);
});
