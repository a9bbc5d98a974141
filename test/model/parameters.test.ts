import test from 'ava';
import { BLOCK, ParameterTable } from '../../src/model/parameters.ts';
import type { CellName } from '../../src/model/spec.ts';

const table = (cell: CellName, layers = 2) =>
  new ParameterTable({
    cell,
    activation: 'tanh',
    vocabulary: 11,
    embed: 3,
    hidden: 5,
    layers,
    dropout: 0,
  });

for (const [cell, gates] of [
  ['rnn', 1],
  ['gru', 3],
  ['lstm', 4],
] as const) {
  test(`names and shapes are those of torch.nn: ${cell}`, (t) => {
    const rows = gates * 5;
    t.deepEqual(
      table(cell).parameters.map(({ name, shape, layer }) => [name, [...shape], layer]),
      [
        ['embedding.weight', [11, 3], 'embedding'],
        ['rnn.weight_ih_l0', [rows, 3], 'layer 0'],
        ['rnn.weight_hh_l0', [rows, 5], 'layer 0'],
        ['rnn.bias_ih_l0', [rows], 'layer 0'],
        ['rnn.bias_hh_l0', [rows], 'layer 0'],
        ['rnn.weight_ih_l1', [rows, 5], 'layer 1'],
        ['rnn.weight_hh_l1', [rows, 5], 'layer 1'],
        ['rnn.bias_ih_l1', [rows], 'layer 1'],
        ['rnn.bias_hh_l1', [rows], 'layer 1'],
        ['head.weight', [11, 5], 'head'],
        ['head.bias', [11], 'head'],
      ],
    );
  });

  test(`the number of parameters is the formula's: ${cell}`, (t) => {
    const layer = (input: number) => gates * 5 * (input + 5 + 2);
    t.is(table(cell, 3).count, 11 * 3 + layer(3) + 2 * layer(5) + 11 * 5 + 11);
  });
}

test('tensors begin at blocks and do not overlap', (t) => {
  const { parameters, paddedLength, inputPadded } = table('lstm', 3);
  let free = 0;
  for (const { start, length, shape } of parameters) {
    t.is(start % BLOCK, 0);
    t.true(start >= free);
    t.is(
      length,
      shape.reduce((product, size) => product * size, 1),
    );
    free = start + length;
  }
  t.is(paddedLength % BLOCK, 0);
  t.true(paddedLength >= free && paddedLength < free + BLOCK);
  t.is(inputPadded, parameters[2].start);
});

test('every element is found, padding as the tensor before it', (t) => {
  const lstm = table('lstm');
  const bias = lstm.get('head.bias');
  t.is(lstm.at(0).name, 'embedding.weight');
  t.is(lstm.at(lstm.inputPadded - 1).name, 'rnn.weight_ih_l0');
  t.is(lstm.at(lstm.inputPadded).name, 'rnn.weight_hh_l0');
  t.is(lstm.at(bias.start + 3), bias);
  t.is(lstm.at(lstm.paddedLength - 1), bias);
  t.throws(() => lstm.get('rnn.weight_ih_l9'), { message: 'No parameter named rnn.weight_ih_l9' });
});
