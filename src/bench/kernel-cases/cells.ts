/** Forward and backward of each cell. */
import type { Kernels } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import type { CaseSizes, KernelCase } from './case.ts';

/** A cell works in place: called again and again on its own results, as forward on backward's. */
export function cellCases({ rows, hidden }: CaseSizes): KernelCase[] {
  const units = rows * hidden;
  const cell = (
    name: string,
    words: number,
    call: (kernels: Kernels, at: Record<'gates' | 'before' | 'a' | 'b', Offset>) => void,
    result: 'gates' | 'b' = 'b',
  ): KernelCase => ({
    name,
    bytes: 4 * units * words,
    place(builder, kernels) {
      const at = {
        gates: builder.add('gates', 'float32', rows, 4 * hidden),
        before: builder.add('before', 'float32', units),
        a: builder.add('a', 'float32', units),
        b: builder.add('b', 'float32', units),
      };
      return { run: () => call(kernels, at), result: at[result], length: units };
    },
  });
  return [
    cell('rnnForward', 2, (k, { gates, b }) => k.rnnForward(gates, b, rows, hidden, 0)),
    cell(
      'rnnBackward',
      3,
      (k, { gates, a, b }) => k.rnnBackward(gates, a, b, rows, hidden, 0),
      'gates',
    ),
    cell('lstmForward', 11, (k, { gates, before, a, b }) =>
      k.lstmForward(gates, before, a, b, rows, hidden),
    ),
    cell('lstmBackward', 13, (k, { gates, before, a, b }) =>
      k.lstmBackward(gates, before, a, before, b, rows, hidden),
    ),
    cell('gruForward', 9, (k, { gates, before, b }) =>
      k.gruForward(gates, before, b, rows, hidden),
    ),
    cell('gruBackward', 12, (k, { gates, before, a, b }) =>
      k.gruBackward(gates, before, a, b, rows, hidden),
    ),
  ];
}
