import test from 'ava';
import type { ModelSpec } from '../../src/model/spec.ts';
import { Float64Network, type NetworkSizes } from '../helpers/float64-network.ts';

/** Central differences with step h: error about h² + 1e-16/h, so 1e-9 for sums of losses near 100. */
const STEP = 1e-5;
const TOLERANCE = 2e-7;

const base = { vocabulary: 7, embed: 5, hidden: 6, layers: 2, dropout: 0 } as const;
const sizes: NetworkSizes = { streams: 5, times: 4, lanes: 3 };

const everyParameter = test.macro({
  title: (name) => `the gradient of every parameter equals the numeric one: ${name}`,
  exec(t, spec: ModelSpec, networkSizes: NetworkSizes) {
    const network = new Float64Network(spec, networkSizes);
    network.setTokens((stream, time) => (2 * stream + time * time) % (spec.vocabulary - 1));
    const carry = fillCarry(network);
    network.train(carry);
    const gradient = network.gradient();
    const wrong = network.table.parameters.flatMap(({ name, start, length }) =>
      Array.from({ length }, (_, e) => {
        const numeric = derivative(network, start + e, carry);
        const error = Math.abs(gradient[start + e] - numeric) / Math.max(1, Math.abs(numeric));
        return { at: `${name}[${e}]`, analytic: gradient[start + e], numeric, error };
      }).filter(({ error }) => !(error <= TOLERANCE)),
    );
    t.deepEqual(wrong, []);
  },
});

function derivative(network: Float64Network, element: number, carry: number): number {
  const at = network.layout.parameters[0] + element;
  const value = network.reals[at];
  network.reals[at] = value + STEP;
  const above = network.train(carry);
  network.reals[at] = value - STEP;
  const below = network.train(carry);
  network.reals[at] = value;
  return (above - below) / (2 * STEP);
}

/** A carried state that is not zero, so that its part in the recurrent gradients is tested. */
function fillCarry({ layout, reals, carryLength }: Float64Network): number {
  const [carry] = layout.carries;
  for (let i = 0; i < carryLength; i++) reals[carry + i] = 0.3 * Math.cos(i);
  return carry;
}

test('rnn tanh', everyParameter, { ...base, cell: 'rnn', activation: 'tanh' }, sizes);
test('rnn relu', everyParameter, { ...base, cell: 'rnn', activation: 'relu' }, sizes);
test('lstm', everyParameter, { ...base, cell: 'lstm', activation: 'tanh' }, sizes);
test('gru', everyParameter, { ...base, cell: 'gru', activation: 'tanh' }, sizes);

const dropped = { ...base, layers: 3, activation: 'tanh', dropout: 0.4 } as const;
test('lstm with dropout, three layers', everyParameter, { ...dropped, cell: 'lstm' }, sizes);
test('gru with dropout, three layers', everyParameter, { ...dropped, cell: 'gru' }, sizes);

const single = { ...base, layers: 1, activation: 'tanh', cell: 'lstm' } as const;
test('lstm, the loss head in blocks', everyParameter, single, { ...sizes, headTimes: 3 });
test('lstm, one lane', everyParameter, single, { ...sizes, lanes: 1 });
test('lstm, one stream and one step', everyParameter, single, { streams: 1, times: 1, lanes: 1 });

test('an embedding row that does not occur gets a gradient of exactly zero', (t) => {
  const spec: ModelSpec = { ...base, cell: 'lstm', activation: 'tanh' };
  const network = new Float64Network(spec, sizes);
  network.setTokens((stream, time) => (stream + time) % 3);
  network.train();
  const unused = network.gradient().subarray(3 * base.embed, base.vocabulary * base.embed);
  t.deepEqual([...unused], new Array(unused.length).fill(0));
});
