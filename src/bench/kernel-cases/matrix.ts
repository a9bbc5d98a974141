/** Matrix products, packing and the sums of rows. */
import { START } from '../../kernels/contract.ts';
import type { CaseSizes, KernelCase } from './case.ts';

export function matrixCases({ rows, times, hidden, lanes }: CaseSizes): KernelCase[] {
  const gates = 4 * hidden;
  return [
    multiplyCase('multiply, recurrent forward', rows, hidden, gates),
    multiplyCase('multiply, recurrent backward', rows, gates, hidden),
    multiplyCase('multiply, input of a chunk', rows * times, hidden, gates),
    transposedCase('multiplyTransposed, weight gradient', times, rows, lanes, gates, hidden),
    packCase('pack', 0, rows, hidden, gates),
    packCase('pack, transposed', 1, rows, hidden, gates),
    {
      name: 'sumRows',
      bytes: 4 * times * rows * gates,
      place(builder, kernels) {
        const a = builder.add('a', 'float32', times, rows, gates);
        const out = builder.add('out', 'float32', gates);
        const run = () => kernels.sumRows(a, gates, rows * gates, times, rows, gates, 0, out);
        return { run, results: [{ offset: out, length: gates }] };
      },
    },
  ];
}

/** Packed forms differ between backends: what is compared is a product of m rows with one. */
function packCase(name: string, transposed: 0 | 1, m: number, k: number, n: number): KernelCase {
  return {
    name,
    bytes: 8 * k * n,
    place(builder, kernels) {
      const source = builder.add('source', 'float32', k, n);
      const a = builder.add('a', 'float32', m, k);
      const c = builder.add('c', 'float32', m, n);
      const packed = builder.add('packed', 'float32', kernels.packedLength(k, n));
      const stride = transposed ? k : n;
      return {
        run: () => kernels.pack(source, stride, transposed, k, n, 0, k, 0, n, packed),
        reveal: () => kernels.multiply(a, k, packed, c, n, m, k, n, START.zero, 0, 0, 0),
        results: [{ offset: c, length: m * n }],
      };
    },
  };
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
        prepare: () => kernels.pack(b, n, 0, k, n, 0, k, 0, n, packed),
        run: () => kernels.multiply(a, k, packed, c, n, m, k, n, START.zero, 0, 0, 0),
        results: [{ offset: c, length: m * n }],
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
      const laneRows = builder.add('lane rows', 'int32', lanes);
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
      const prepare = (ints: Int32Array) => ints.fill(rows / lanes, laneRows, laneRows + lanes);
      return { prepare, run, results: [{ offset: c, length: m * n }] };
    },
  };
}
