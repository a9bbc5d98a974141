import test from 'ava';
import { planEngine } from '../../src/coordinator/engine.ts';
import { chooseKernels } from '../../src/kernels/backend.ts';
import { parameterPieces } from '../../src/model/packing.ts';
import type { CellName } from '../../src/model/spec.ts';
import { smallSpec } from '../helpers/engine.ts';

const piecesOf = test.macro({
  title: (_, cell, hidden, vocabulary) =>
    `the pieces are every parameter, each element once, in order: ${cell}, H ${hidden}, V ${vocabulary}`,
  exec(t, cell: CellName, hidden: number, vocabulary: number) {
    const spec = { ...smallSpec(cell), hidden, vocabulary };
    const kernels = chooseKernels('reference');
    const plan = planEngine({ spec, kernels, times: 1, workers: 1, evaluationStreams: 1 }, 2 ** 31);
    const sizing = { packedLength: (k: number, n: number) => k * n, panelColumns: 32 };
    const pieces = parameterPieces(plan.table, plan.layout.packed, sizing);
    const holders = new Uint8Array(plan.table.paddedLength);
    let end = 0;
    for (const { start, length } of pieces) {
      t.true(start >= end);
      end = start + length;
      for (let i = start; i < end; i++) holders[i]++;
    }
    for (const { name, start, length } of plan.table.parameters) {
      t.true(
        holders.subarray(start, start + length).every((count) => count === 1),
        name,
      );
    }
  },
});

test(piecesOf, 'lstm', 10, 23);
test(piecesOf, 'rnn', 97, 3);
test(piecesOf, 'gru', 130, 5000);

const cutAtPanels = test.macro((t, panelColumns: number) => {
  const spec = { ...smallSpec('gru'), hidden: 130, embed: 300 };
  const kernels = chooseKernels('reference');
  const plan = planEngine({ spec, kernels, times: 1, workers: 1, evaluationStreams: 1 }, 2 ** 31);
  const sizing = { packedLength: (k: number, n: number) => k * n, panelColumns };
  const ends = new Map<number, number>();
  for (const { rows } of parameterPieces(plan.table, plan.layout.packed, sizing)) {
    if (!rows) continue;
    const { weight, first, count } = rows;
    t.is(first % panelColumns, 0);
    t.is(first, ends.get(weight.source) ?? 0);
    ends.set(weight.source, first + count);
    t.true(first + count <= weight.height);
  }
  // Of each layer the input weights and the two blocks of recurrent ones, and the head.
  t.deepEqual([...ends.values()], [390, 260, 130, 390, 260, 130, 23]);
});

for (const panelColumns of [1, 24, 32, 48]) {
  const title = `a weight is cut where panels of ${panelColumns} columns begin, and packed whole`;
  test(title, cutAtPanels, panelColumns);
}
