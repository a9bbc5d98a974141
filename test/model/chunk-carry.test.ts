import test from 'ava';
import type { CellName, ModelSpec } from '../../src/model/spec.ts';
import { Float64Network } from '../helpers/float64-network.ts';

const STREAMS = 3;
const token = (stream: number, time: number) => (5 * stream + 3 * time) % 7;

for (const cell of ['rnn', 'lstm', 'gru'] satisfies CellName[]) {
  test(`two chunks with a carried state give the losses of one double chunk: ${cell}`, (t) => {
    const spec: ModelSpec = {
      cell,
      activation: 'tanh',
      vocabulary: 7,
      embed: 4,
      hidden: 5,
      layers: 2,
      dropout: 0,
    };
    const whole = new Float64Network(spec, { streams: STREAMS, times: 8, lanes: 2 });
    whole.setTokens(token);
    const expected = [...whole.evaluate()];

    const half = new Float64Network(spec, { streams: STREAMS, times: 4, lanes: 2 });
    half.setTokens(token);
    const first = [...half.evaluate()];
    half.setTokens((stream, time) => token(stream, time + 4));
    const carried = half.carryOver();
    const second = [...half.evaluate(carried)];
    t.deepEqual([...first, ...second], expected);
  });
}
