/**
 * Every kernel at the sizes that a layer of H units gives it, as a benchmark case: its operands in a table, what it computes
 * and how much work that is. Pure.
 */
import { type Kernels, START } from '../kernels/contract.ts';
import type { Offset, TableBuilder } from '../memory/table.ts';

/** R, T, H and V; the rows are those of `lanes` equal lanes. */
export interface CaseSizes {
  rows: number;
  times: number;
  hidden: number;
  vocabulary: number;
  lanes: number;
}

/** The region of lane rows: each R / lanes. */
export const LANE_ROWS = 'lane rows';

export interface PlacedCase {
  /** Done once, before the first call. */
  prepare?: () => void;
  run: () => void;
  result: Offset;
  length: number;
}

export interface KernelCase {
  name: string;
  /** Work of one call, in floating-point operations or in bytes read and written. */
  flops?: number;
  bytes?: number;
  /** Declares the operands and says what to call. The same in every backend, but for packed operands. */
  place(builder: TableBuilder, kernels: Kernels): PlacedCase;
}

export function kernelCases(sizes: CaseSizes): KernelCase[] {
  return [...matrixCases(sizes), ...cellCases(sizes), ...tokenCases(sizes), ...vectorCases(sizes)];
}

function matrixCases({ rows, times, hidden, lanes }: CaseSizes): KernelCase[] {
  const gates = 4 * hidden;
  return [
    multiplyCase('multiply, recurrent forward', rows, hidden, gates),
    multiplyCase('multiply, recurrent backward', rows, gates, hidden),
    multiplyCase('multiply, input of a chunk', rows * times, hidden, gates),
    transposedCase('multiplyTransposed, weight gradient', times, rows, lanes, gates, hidden),
    {
      name: 'pack',
      bytes: 8 * hidden * gates,
      place(builder, kernels) {
        const source = builder.add('source', 'float32', gates, hidden);
        const length = kernels.packedLength(hidden, gates);
        const packed = builder.add('packed', 'float32', length);
        // Packed forms differ between backends: none is compared.
        return {
          run: () => kernels.pack(source, hidden, 1, hidden, gates, 0, gates, packed),
          result: packed,
          length: 0,
        };
      },
    },
    {
      name: 'sumRows',
      bytes: 4 * times * rows * gates,
      place(builder, kernels) {
        const a = builder.add('a', 'float32', times, rows, gates);
        const out = builder.add('out', 'float32', gates);
        const run = () => kernels.sumRows(a, gates, rows * gates, times, rows, gates, 0, out);
        return { run, result: out, length: gates };
      },
    },
  ];
}

function multiplyCase(name: string, m: number, k: number, n: number): KernelCase {
  return {
    name: `${name} (${m}×${k}×${n})`,
    flops: 2 * m * k * n,
    place(builder, kernels) {
      const a = builder.add('a', 'float32', m, k);
      const b = builder.add('b', 'float32', k, n);
      const c = builder.add('c', 'float32', m, n);
      const packed = builder.add('packed', 'float32', kernels.packedLength(k, n));
      return {
        prepare: () => kernels.pack(b, n, 0, k, n, 0, n, packed),
        run: () => kernels.multiply(a, k, packed, c, n, m, k, n, START.zero, 0),
        result: c,
        length: m * n,
      };
    },
  };
}

function transposedCase(
  name: string,
  groups: number,
  rows: number,
  lanes: number,
  m: number,
  n: number,
): KernelCase {
  return {
    name: `${name} (${groups}·${rows}×${m}×${n})`,
    flops: 2 * groups * rows * m * n,
    place(builder, kernels) {
      const a = builder.add('a', 'float32', groups, rows, m);
      const b = builder.add('b', 'float32', groups, rows, n);
      const c = builder.add('c', 'float32', m, n);
      const laneRows = builder.add(LANE_ROWS, 'int32', lanes);
      const scratchLength = kernels.scratchLength(groups, rows / lanes, lanes, m, n);
      const scratch = builder.add('scratch', 'float32', scratchLength);
      const run = () =>
        kernels.multiplyTransposed(
          a,
          m,
          rows * m,
          b,
          n,
          rows * n,
          groups,
          laneRows,
          lanes,
          c,
          n,
          m,
          n,
          0,
          scratch,
        );
      return { run, result: c, length: m * n };
    },
  };
}

/** A cell works in place: called again and again on its own results, as forward on backward's. */
function cellCases({ rows, hidden }: CaseSizes): KernelCase[] {
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

function tokenCases({ rows, times, hidden, vocabulary }: CaseSizes): KernelCase[] {
  const tokens = rows * times;
  return [
    {
      name: 'softmaxCrossEntropy',
      bytes: 8 * tokens * vocabulary,
      place(builder, kernels) {
        const logits = builder.add('logits', 'float32', tokens, vocabulary);
        const targets = builder.add('ids', 'int32', tokens);
        const losses = builder.add('losses', 'float32', tokens);
        const run = () => kernels.softmaxCrossEntropy(logits, targets, tokens, vocabulary, losses);
        return { run, result: losses, length: tokens };
      },
    },
    {
      name: 'gatherRows',
      bytes: 8 * tokens * hidden,
      place(builder, kernels) {
        const source = builder.add('source', 'float32', vocabulary, hidden);
        const ids = builder.add('ids', 'int32', tokens);
        const out = builder.add('out', 'float32', tokens, hidden);
        const run = () => kernels.gatherRows(source, hidden, ids, tokens, hidden, out, hidden);
        return { run, result: out, length: tokens * hidden };
      },
    },
    {
      name: 'scatterAddRows',
      bytes: 12 * tokens * hidden,
      place(builder, kernels) {
        const a = builder.add('a', 'float32', tokens, hidden);
        const ids = builder.add('ids', 'int32', tokens);
        const out = builder.add('out', 'float32', vocabulary, hidden);
        const run = () =>
          kernels.scatterAddRows(a, hidden, 0, ids, 0, 1, tokens, hidden, out, hidden);
        return { run, result: out, length: vocabulary * hidden };
      },
    },
    {
      name: 'dropout',
      bytes: 8 * tokens * hidden,
      place(builder, kernels) {
        const source = builder.add('source', 'float32', tokens, hidden);
        const out = builder.add('out', 'float32', tokens, hidden);
        const run = () => kernels.dropout(source, out, tokens, hidden, 0, 7, 2 ** 30, 4 / 3);
        return { run, result: out, length: tokens * hidden };
      },
    },
  ];
}

/** On vectors as long as the weights of a layer, beyond the caches where H is large. */
function vectorCases({ hidden }: CaseSizes): KernelCase[] {
  const n = 8 * hidden * hidden;
  const vector = (
    name: string,
    words: number,
    call: (kernels: Kernels, offsets: Offset[]) => void,
  ): KernelCase => ({
    name,
    bytes: 4 * words * n,
    place(builder, kernels) {
      const offsets = Array.from({ length: words }, (_, i) => builder.add(`v${i}`, 'float32', n));
      return { run: () => call(kernels, offsets), result: offsets[words - 1], length: n };
    },
  });
  return [
    vector('add', 3, (k, [a, b, out]) => k.add(a, b, out, n)),
    vector('copy', 2, (k, [a, out]) => k.copy(a, out, n)),
    vector('sumOfSquares', 1, (k, [a]) => void k.sumOfSquares(a, n)),
    vector('sgd with momentum', 5, (k, [w, v, g, vNext, wNext]) =>
      k.sgd(w, wNext, v, vNext, g, n, 0.1, 1, 0.01, 0, 0.9, 0),
    ),
    vector('adam', 7, (k, [w, m, v, g, mNext, vNext, wNext]) =>
      k.adam(w, wNext, m, mNext, v, vNext, g, n, 0.1, 1, 0.01, 1.1, 0.9, 0.999, 1e-8, 0, 1),
    ),
    vector('rmsprop', 5, (k, [w, v, g, vNext, wNext]) =>
      k.rmsprop(w, wNext, v, vNext, g, n, 0.1, 1, 0.01, 0.99, 1e-8, 0),
    ),
  ];
}
