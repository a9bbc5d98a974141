/** Forward and backward of each cell. */
import type { Kernels } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import type { CaseSizes, KernelCase } from './case.ts';

/** The gates (R, G·H), and as many vectors (R, H) as a cell has at most. */
type Operands = Record<'gates' | 'before' | 'a' | 'b' | 'c', Offset>;

export function cellCases({ rows, hidden }: CaseSizes): KernelCase[] {
  const units = rows * hidden;
  /** `words` a unit are read and written. An LSTM and a GRU leave results in the gates that they read. */
  const cell = (
    name: string,
    gateCount: number,
    words: number,
    results: (keyof Operands)[],
    call: (kernels: Kernels, at: Operands) => void,
  ): KernelCase => ({
    name,
    bytes: 4 * units * words,
    place(builder, kernels) {
      const at = {
        gates: builder.add('gates', 'float32', rows, gateCount * hidden),
        before: builder.add('before', 'float32', units),
        a: builder.add('a', 'float32', units),
        b: builder.add('b', 'float32', units),
        c: builder.add('c', 'float32', units),
      };
      return {
        run: () => call(kernels, at),
        results: results.map((result) => ({
          offset: at[result],
          length: result === 'gates' ? gateCount * units : units,
        })),
        inPlace: gateCount === 4,
      };
    },
  });
  const rnnCases = ([0, 1] as const).flatMap((relu) => [
    cell(`rnnForward, ${relu ? 'relu' : 'tanh'}`, 1, 2, ['b'], (k, { gates, b }) =>
      k.rnnForward(gates, b, rows, hidden, relu),
    ),
    cell(`rnnBackward, ${relu ? 'relu' : 'tanh'}`, 1, 3, ['gates'], (k, { gates, a, b }) =>
      k.rnnBackward(gates, a, b, rows, hidden, relu),
    ),
  ]);
  return [
    ...rnnCases,
    cell('lstmForward', 4, 11, ['gates', 'a', 'b'], (k, { gates, before, a, b }) =>
      k.lstmForward(gates, before, a, b, rows, hidden),
    ),
    cell('lstmBackward', 4, 13, ['gates', 'c'], (k, { gates, before, a, b, c }) =>
      k.lstmBackward(gates, before, a, b, c, rows, hidden),
    ),
    cell('gruForward', 4, 9, ['gates', 'b'], (k, { gates, before, b }) =>
      k.gruForward(gates, before, b, rows, hidden),
    ),
    cell('gruBackward', 4, 12, ['gates', 'b'], (k, { gates, before, a, b }) =>
      k.gruBackward(gates, before, a, b, rows, hidden),
    ),
  ];
}
