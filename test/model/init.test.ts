import test from 'ava';
import { type InitRecipe, initialBlocks, initializeBlock } from '../../src/model/init.ts';
import { ParameterTable } from '../../src/model/parameters.ts';
import { type CellName, GATES, type ModelSpec } from '../../src/model/spec.ts';

const H = 24;
const E = 10;
const V = 50;

function specOf(cell: CellName): ModelSpec {
  return { cell, activation: 'tanh', vocabulary: V, embed: E, hidden: H, layers: 2, dropout: 0 };
}

/** Values of every parameter by name. */
function drawn(cell: CellName, recipe: Partial<InitRecipe> = {}): Map<string, Float32Array> {
  const spec = specOf(cell);
  const full: InitRecipe = { init: 'orthogonal', seed: 1, ...recipe };
  const table = new ParameterTable(spec);
  const vector = new Float32Array(table.paddedLength).fill(Number.NaN);
  for (const block of initialBlocks(table)) {
    const { start, length } = block;
    initializeBlock(block, spec, full, vector.subarray(start, start + length));
  }
  return new Map(
    table.parameters.map(({ name, start, length }) => [
      name,
      vector.subarray(start, start + length),
    ]),
  );
}

const values = (parameters: Map<string, Float32Array>, name: string) => {
  const found = parameters.get(name);
  if (!found) throw new Error(name);
  return found;
};
const mean = (numbers: Float32Array) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const variance = (numbers: Float32Array) =>
  numbers.reduce((sum, x) => sum + (x - mean(numbers)) ** 2, 0) / numbers.length;

/** Mean 0 and variance a²/3, each within four standard errors, and no value beyond ±a, many near it. */
function isUniform(numbers: Float32Array, a: number): boolean {
  const n = numbers.length;
  const largest = numbers.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return (
    largest <= a * (1 + 1e-7) &&
    largest > a * (1 - 12 / n) &&
    Math.abs(mean(numbers)) < (4 * a) / Math.sqrt(3 * n) &&
    Math.abs(variance(numbers) - (a * a) / 3) < (4 * a * a * Math.sqrt(4 / 45)) / Math.sqrt(n)
  );
}

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  test(`input weights and head are Glorot-uniform, the fan out of a gate block being H: ${cell}`, (t) => {
    const parameters = drawn(cell);
    t.true(isUniform(values(parameters, 'rnn.weight_ih_l0'), Math.sqrt(6 / (E + H))));
    t.true(isUniform(values(parameters, 'rnn.weight_ih_l1'), Math.sqrt(6 / (H + H))));
    t.true(isUniform(values(parameters, 'head.weight'), Math.sqrt(6 / (H + V))));
  });

  test(`recurrent weights are orthogonal, gate block by gate block: ${cell}`, (t) => {
    for (const layer of [0, 1]) {
      const weights = values(drawn(cell), `rnn.weight_hh_l${layer}`);
      t.is(weights.length, GATES[cell] * H * H);
      for (let block = 0; block < GATES[cell]; block++) {
        const q = weights.subarray(block * H * H, (block + 1) * H * H);
        for (let i = 0; i < H; i++) {
          for (let j = 0; j <= i; j++) {
            let byRows = 0;
            let byColumns = 0;
            for (let k = 0; k < H; k++) {
              byRows += q[i * H + k] * q[j * H + k];
              byColumns += q[k * H + i] * q[k * H + j];
            }
            const unit = i === j ? 1 : 0;
            t.true(Math.abs(byRows - unit) < 1e-6 && Math.abs(byColumns - unit) < 1e-6);
          }
        }
      }
    }
  });

  test(`uniform draws all but the embedding from ±1/√H, as PyTorch: ${cell}`, (t) => {
    const parameters = drawn(cell, { init: 'uniform' });
    for (const [name, numbers] of parameters) {
      if (name === 'embedding.weight') continue;
      if (numbers.length >= 200) t.true(isUniform(numbers, 1 / Math.sqrt(H)), name);
      t.true(
        numbers.every((x) => Math.abs(x) <= 1 / Math.sqrt(H)),
        name,
      );
      t.true(new Set(numbers).size > 0.9 * numbers.length, name);
    }
  });

  test(`identity puts its scale on the diagonal of every gate block: ${cell}`, (t) => {
    const weights = values(
      drawn(cell, { init: 'identity', identityScale: 0.5 }),
      'rnn.weight_hh_l1',
    );
    t.true(weights.every((x, i) => x === (Math.floor(i / H) % H === i % H ? 0.5 : 0)));
    const unscaled = values(drawn(cell, { init: 'identity' }), 'rnn.weight_hh_l0');
    t.is(unscaled[H + 1], 1);
  });

  test(`biases are zero, but for the forget gate of b_ih: ${cell}`, (t) => {
    const parameters = drawn(cell, { forgetBias: 1 });
    for (const layer of [0, 1]) {
      const biases = values(parameters, `rnn.bias_ih_l${layer}`);
      const forget = (i: number) => cell === 'lstm' && i >= H && i < 2 * H;
      t.true(biases.every((x, i) => x === (forget(i) ? 1 : 0)));
      t.true(values(parameters, `rnn.bias_hh_l${layer}`).every((x) => x === 0));
    }
    t.true(values(parameters, 'head.bias').every((x) => x === 0));
  });

  test(`the same seed gives the same bits, another seed another model: ${cell}`, (t) => {
    const [one, again, other] = [drawn(cell), drawn(cell), drawn(cell, { seed: 2 })];
    t.deepEqual(one, again);
    for (const name of [
      'embedding.weight',
      'rnn.weight_ih_l0',
      'rnn.weight_hh_l1',
      'head.weight',
    ]) {
      t.notDeepEqual(values(one, name), values(other, name));
    }
    const far = drawn(cell, { seed: 1 + 2 ** 32 });
    t.notDeepEqual(values(one, 'head.weight'), values(far, 'head.weight'));
  });
}

test('layers and gate blocks differ from each other', (t) => {
  const parameters = drawn('lstm');
  t.notDeepEqual(values(parameters, 'rnn.weight_hh_l0'), values(parameters, 'rnn.weight_hh_l1'));
  const weights = values(parameters, 'rnn.weight_hh_l0');
  t.notDeepEqual(weights.slice(0, H * H), weights.slice(H * H, 2 * H * H));
});

test('the forget bias is added to what uniform draws', (t) => {
  const plain = values(drawn('lstm', { init: 'uniform', forgetBias: 0 }), 'rnn.bias_ih_l0');
  const raised = values(drawn('lstm', { init: 'uniform', forgetBias: 2 }), 'rnn.bias_ih_l0');
  for (let i = 0; i < 4 * H; i++) {
    t.is(raised[i], i >= H && i < 2 * H ? Math.fround(plain[i] + 2) : plain[i]);
  }
});

test('embeddings are standard normal', (t) => {
  const numbers = values(drawn('lstm'), 'embedding.weight');
  const n = numbers.length;
  t.true(Math.abs(mean(numbers)) < 4 / Math.sqrt(n));
  t.true(Math.abs(variance(numbers) - 1) < 4 * Math.sqrt(2 / n));
  const within = numbers.filter((x) => Math.abs(x) < 1).length / n;
  t.true(Math.abs(within - 0.6827) < 4 * Math.sqrt((0.6827 * 0.3173) / n));
});
