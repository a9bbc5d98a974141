import test from 'ava';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import { normsByLag } from '../../src/model/gradient-flow.ts';
import type { ModelSpec } from '../../src/model/spec.ts';
import { Float64Network } from '../helpers/float64-network.ts';
import { PlainNetwork, type State } from '../helpers/plain-network.ts';

const base = {
  vocabulary: 7,
  embed: 5,
  hidden: 6,
  layers: 2,
  dropout: 0,
  activation: 'tanh',
} as const;
const SIZES = { streams: 5, times: 7, lanes: 2 };
/** Streams of the lane that is looked at. */
const ROWS = 2;
const token = (stream: number, time: number) => (2 * stream + time * time) % 6;
/** Central differences with step h: error about h² + 1e-16/h. */
const STEP = 1e-5;
const TOLERANCE = 1e-8;

interface Sizes {
  streams: number;
  times: number;
  lanes: number;
}

/** A network in float64, the same in plain equations, and the states that each of its streams carries in. */
function networks(spec: ModelSpec, sizes: Sizes) {
  const network = new Float64Network(spec, sizes);
  network.setTokens(token);
  const { layout, reals, table } = network;
  const [carry] = layout.carries;
  for (let i = 0; i < network.carryLength; i++) reals[carry + i] = 0.3 * Math.cos(i);
  const first = layout.parameters[0];
  const plain = new PlainNetwork(table, reals.subarray(first, first + table.paddedLength));
  const { hidden, layers } = spec;
  const carried = (state: number, layer: number, stream: number) => {
    const at = carry + ((state * layers + layer) * sizes.streams + stream) * hidden;
    return [...reals.subarray(at, at + hidden)];
  };
  const statesOf = (stream: number): State[] =>
    Array.from({ length: layers }, (_, layer) => ({
      hidden: carried(0, layer, stream),
      cell: spec.cell === 'lstm' ? carried(1, layer, stream) : [],
    }));
  return { network, carry, plain, statesOf };
}

/** The loss of the last time step of a stream, where unit `unit` of state `time` (1 … T) of a layer is `by` larger. */
function lastLoss(
  { plain, statesOf }: ReturnType<typeof networks>,
  { times }: Sizes,
  stream: number,
  changed: { layer: number; time: number; unit: number; by: number },
): number {
  let states = statesOf(stream);
  for (let t = 1; t <= times; t++) {
    const step = plain.step(token(stream, t - 1), states, (layer, state) => {
      if (t === changed.time && layer === changed.layer) state.hidden[changed.unit] += changed.by;
    });
    states = step.state;
  }
  return plain.loss(states[states.length - 1], token(stream, times));
}

const byDifferences = test.macro({
  title: (name) => `norms by lag are those of numeric derivatives: ${name}`,
  exec(t, spec: ModelSpec, sizes: Sizes, rows: number) {
    const both = networks(spec, sizes);
    const flow = both.network.flow(rows, both.carry);
    t.is(flow.length, spec.layers);
    for (const [layer, { normByLag }] of flow.entries()) {
      const normAt = (lag: number) => {
        let squares = 0;
        for (let stream = 0; stream < rows; stream++) {
          for (let unit = 0; unit < spec.hidden; unit++) {
            const at = (by: number) =>
              lastLoss(both, sizes, stream, { layer, time: sizes.times - lag, unit, by });
            squares += ((at(STEP) - at(-STEP)) / (2 * STEP)) ** 2;
          }
        }
        return Math.sqrt(squares / rows);
      };
      const buckets = [[0], [1], [2, 3], [4, 5, 6]]
        .map((lags) => lags.filter((lag) => lag < sizes.times))
        .filter((lags) => lags.length > 0);
      t.deepEqual(
        normByLag.map(({ lag }) => lag),
        buckets.map(([lag]) => lag),
      );
      for (const [bucket, lags] of buckets.entries()) {
        const mean = lags.reduce((sum, lag) => sum + normAt(lag), 0) / lags.length;
        t.true(mean > 1e-4, `the test would see nothing: ${mean}`);
        const error = Math.abs(normByLag[bucket].norm - mean);
        t.true(
          error <= TOLERANCE,
          `layer ${layer}, lags ${lags}: ${normByLag[bucket].norm}, ${mean}`,
        );
      }
    }
  },
});

test('rnn', byDifferences, { ...base, cell: 'rnn' }, SIZES, ROWS);
test('rnn relu', byDifferences, { ...base, cell: 'rnn', activation: 'relu' }, SIZES, ROWS);
test('lstm', byDifferences, { ...base, cell: 'lstm' }, SIZES, ROWS);
test('gru', byDifferences, { ...base, cell: 'gru' }, SIZES, ROWS);
test('gru, three layers', byDifferences, { ...base, cell: 'gru', layers: 3 }, SIZES, ROWS);
const dropped = { ...base, cell: 'lstm', dropout: 0.4 } as const;
test('lstm, whose dropout is left out', byDifferences, dropped, SIZES, ROWS);
const oneStep = { streams: 1, times: 1, lanes: 1 };
test('gru, one stream and one step', byDifferences, { ...base, cell: 'gru' }, oneStep, 1);

const counted = test.macro({
  title: (name) => `saturation is what counting the activations gives: ${name}`,
  exec(t, spec: ModelSpec) {
    const both = networks(spec, SIZES);
    // Weights so large that some activations are near their bounds, and others not.
    const [parameters] = both.network.layout.parameters;
    const { paddedLength } = both.network.table;
    for (let i = 0; i < paddedLength; i++) both.network.reals[parameters + i] *= 3;
    const flow = both.network.flow(ROWS, both.carry);
    const seen = new Set<string>();
    for (const [layer, { saturation }] of flow.entries()) {
      const values = new Map<string, number[]>();
      for (let stream = 0; stream < ROWS; stream++) {
        let states = both.statesOf(stream);
        for (let time = 0; time < SIZES.times; time++) {
          const { state, activations } = both.plain.step(token(stream, time), states);
          states = state;
          for (const [gate, units] of Object.entries(activations[layer])) {
            values.set(gate, [...(values.get(gate) ?? []), ...units]);
          }
        }
      }
      t.deepEqual(
        saturation.map(({ gate }) => gate),
        [...values.keys()].sort((a, b) => GATE_ORDER.indexOf(a) - GATE_ORDER.indexOf(b)),
      );
      for (const { gate, share } of saturation) {
        const all = values.get(gate) ?? [];
        const near = all.filter((value) => isNearBound(gate, value, spec.activation));
        t.is(share, near.length / all.length, `layer ${layer}, ${gate}`);
        if (share > 0 && share < 1) seen.add(gate);
      }
    }
    t.is(seen.size, flow[0].saturation.length, `the test sees only ${[...seen]}`);
  },
});

const GATE_ORDER = 'ifgorznh';

function isNearBound(gate: string, value: number, activation: string): boolean {
  if (gate === 'h' && activation === 'relu') return value === 0;
  if ('gnh'.includes(gate)) return value <= -0.95 || value >= 0.95;
  return value <= 0.05 || value >= 0.95;
}

test('of rnn', counted, { ...base, cell: 'rnn' });
test('of rnn relu', counted, { ...base, cell: 'rnn', activation: 'relu' });
test('of lstm', counted, { ...base, cell: 'lstm' });
test('of gru', counted, { ...base, cell: 'gru' });

test('buckets of lags double in width, and the last is cut at the chunk', (t) => {
  const [times, rows, hidden] = [11, 1, 1];
  // dHidden of state t is t: at lag k it is 11 − k.
  const reals = Float64Array.from({ length: times + 1 }, (_, state) => state);
  const kernels = createReferenceKernels(reals, new Int32Array(0));
  t.deepEqual(normsByLag(kernels, { times, rows }, hidden, 0), [
    { lag: 0, norm: 11 },
    { lag: 1, norm: 10 },
    { lag: 2, norm: 8.5 },
    { lag: 4, norm: 5.5 },
    { lag: 8, norm: 2 },
  ]);
});
