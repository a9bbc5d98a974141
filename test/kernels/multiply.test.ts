import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { START, type Start } from '../../src/kernels/contract.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';
import { AWKWARD_SIZES, Bed, type Matrix, within } from './bed.ts';

/** Numbers in [−1, 1): errors add up like a random walk of k steps. */
const tolerance = (k: number) => within(2e-6 * Math.sqrt(k + 1), 1e-6);

interface Product {
  m: number;
  k: number;
  n: number;
  start?: Start;
  transposed?: 0 | 1;
  gap?: number;
}

/** Packs b and multiplies; the same matrices give the same product however b is laid out. */
function multiply(t: ExecutionContext, bed: Bed, product: Product): void {
  const { m, k, n, start = START.zero, transposed = 0, gap = 0 } = product;
  bed.clear();
  const a = bed.matrix(m, k, k + gap);
  const b = transposed ? bed.matrix(n, k, k + gap) : bed.matrix(k, n, n + gap);
  const packed = bed.vector(Math.max(k * n, bed.kernels.packedLength(k, n)), () => 0);
  const c = bed.matrix(m, n, n + gap);
  const bias = bed.vector(n);
  bed.run((kernels) => {
    kernels.pack(b.offset, b.stride, transposed, k, n, 0, k, 0, n, packed.offset);
    const into = [packed.offset, c.offset, c.stride, m, k, n, start, bias.offset] as const;
    kernels.multiply(a.offset, a.stride, ...into, 0, 0);
  });
  bed.check(t, JSON.stringify(product), [c], tolerance(k), [packed]);
  t.true(bed.numbersOf(packed).every(Number.isFinite), 'nothing outside b was packed');
}

for (const backend of KERNEL_BACKENDS) {
  const title = (law: string) => `${backend.name}: ${law}`;

  test(title('a product is right at every awkward width and height'), (t) => {
    const bed = new Bed(backend);
    for (const [i, m] of AWKWARD_SIZES.entries()) {
      for (const [j, n] of AWKWARD_SIZES.entries()) {
        const k = AWKWARD_SIZES[(i + 3 * j) % AWKWARD_SIZES.length];
        multiply(t, bed, { m, k, n });
      }
    }
  });

  test(title('a product starts at zero, at the bias or at c, for every awkward depth'), (t) => {
    const bed = new Bed(backend);
    for (const k of AWKWARD_SIZES) {
      for (const start of Object.values(START)) {
        multiply(t, bed, { m: 7, k, n: 11, start });
        multiply(t, bed, { m: 6, k, n: 16, start, gap: 3 });
      }
    }
  });

  test(title('a transposed operand is packed as the matrix it stands for'), (t) => {
    const bed = new Bed(backend);
    for (const k of AWKWARD_SIZES) {
      for (const n of AWKWARD_SIZES) {
        multiply(t, bed, { m: 4, k, n, transposed: 1, gap: k % 3 });
      }
    }
  });

  test(title('a product deeper and higher than a block is right'), (t) => {
    const bed = new Bed(backend);
    for (const start of Object.values(START)) {
      multiply(t, bed, { m: 131, k: 515, n: 17, start, gap: 5 });
      multiply(t, bed, { m: 242, k: 256, n: 8, start });
    }
  });

  test(title('packing in parts gives the bits of packing at once'), (t) => {
    const bed = new Bed(backend);
    const cut = 3 * bed.kernels.panelColumns;
    for (const transposed of [0, 1] as const) {
      for (const [k, n, firstRows] of [
        [37, 150, 13],
        [600, 120, 299],
        [515, 97, 1],
      ]) {
        bed.clear();
        const stride = transposed ? k : n;
        const b = bed.matrix(transposed ? n : k, stride);
        const [atOnce, inParts] = [0, 1].map(() => bed.vector(bed.kernels.packedLength(k, n)));
        const pack = (row: number, rows: number, column: number, columns: number, to: Matrix) =>
          bed.kernels.pack(
            b.offset,
            stride,
            transposed,
            k,
            n,
            row,
            rows,
            column,
            columns,
            to.offset,
          );
        pack(0, k, 0, n, atOnce);
        for (const [row, rows] of [
          [firstRows, k - firstRows],
          [0, firstRows],
        ]) {
          pack(row, rows, cut, n - cut, inParts);
          pack(row, rows, 0, cut, inParts);
        }
        t.deepEqual(bed.bitsOf(inParts), bed.bitsOf(atOnce), `${k} × ${n}, ${transposed}`);
      }
    }
  });

  test(title('no bit of a row depends on the cut of the rows, or on what is read next'), (t) => {
    const bed = new Bed(backend);
    const sizes = fc.record({
      m: fc.integer({ min: 1, max: 130 }),
      k: fc.integer({ min: 0, max: 300 }),
      n: fc.integer({ min: 1, max: 40 }),
      start: fc.constantFrom(...Object.values(START)),
      gap: fc.integer({ min: 0, max: 5 }),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const law = fc.property(sizes, ({ m, k, n, start, gap, cut }) => {
      bed.clear();
      const a = bed.matrix(m, k);
      const b = bed.matrix(k, n);
      const bias = bed.vector(n);
      const packed = bed.vector(bed.kernels.packedLength(k, n));
      bed.kernels.pack(b.offset, n, 0, k, n, 0, k, 0, n, packed.offset);
      const atOnce = bed.matrix(m, n);
      const inParts = bed.matrix(m, n, n + gap);
      bed.write(inParts, bed.numbersOf(atOnce));
      const rows = (first: number, count: number, c: Matrix, aheadLength: number) => {
        const from = [a.offset + first * k, k, packed.offset] as const;
        const to = [c.offset + first * c.stride, c.stride] as const;
        bed.kernels.multiply(
          ...from,
          ...to,
          count,
          k,
          n,
          start,
          bias.offset,
          a.offset,
          aheadLength,
        );
      };
      rows(0, m, atOnce, 0);
      const first = Math.floor(cut * m);
      rows(first, m - first, inParts, m * k);
      rows(0, first, inParts, 1);
      return bed.bitsOf(inParts).equals(bed.bitsOf(atOnce));
    });
    t.notThrows(() => fc.assert(law, { seed: 1, numRuns: 100 }));
  });

  test(title('NaN and infinity reach the rows that hold them and no others'), (t) => {
    const bed = new Bed(backend);
    const [m, k, n] = [13, 9, 11];
    const rowNumbers = new Map([
      [2, Number.NaN],
      [7, Number.POSITIVE_INFINITY],
    ]);
    const a = bed.matrix(m, k, k, (i, p) => (p === 4 ? (rowNumbers.get(i) ?? 1) : 1));
    const b = bed.matrix(k, n, n, () => 1);
    const packed = bed.vector(bed.kernels.packedLength(k, n));
    const c = bed.matrix(m, n);
    bed.kernels.pack(b.offset, n, 0, k, n, 0, k, 0, n, packed.offset);
    bed.kernels.multiply(a.offset, k, packed.offset, c.offset, n, m, k, n, START.zero, 0, 0, 0);
    const wanted = Float32Array.from(
      { length: m * n },
      (_, i) => rowNumbers.get(Math.floor(i / n)) ?? k,
    );
    t.deepEqual(bed.numbersOf(c), wanted);
  });
}
