import test from 'ava';
import fc from 'fast-check';
import { mix, ROW_STEP, UNIT_STEP } from '../../src/kernels/mix.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';
import { AWKWARD_SIZES, Bed, EXACT, type Fill, within } from './bed.ts';

const LENGTHS = AWKWARD_SIZES.filter((size) => size > 0);
const { NaN: NOT_A_NUMBER, POSITIVE_INFINITY: INFINITE } = Number;

for (const backend of KERNEL_BACKENDS) {
  const title = (law: string) => `${backend.name}: ${law}`;

  test(title('softmax cross-entropy is right at every awkward vocabulary'), (t) => {
    const bed = new Bed(backend);
    for (const rows of [0, 1, 3, 8]) {
      for (const n of [...LENGTHS, 1000]) {
        bed.clear();
        const logits = bed.matrix(rows, n);
        bed.write(
          logits,
          bed.numbersOf(logits).map((x) => 12 * x),
        );
        const targets = bed.indices(rows, n);
        const losses = bed.vector(rows);
        bed.run((kernels) =>
          kernels.softmaxCrossEntropy(logits.offset, targets, rows, n, losses.offset),
        );
        bed.check(t, `${rows} rows, n ${n}`, [logits, losses], within(2e-7, 5e-7));
      }
    }
  });

  test(title('softmax cross-entropy is as right where a vocabulary is large'), (t) => {
    const bed = new Bed(backend);
    const n = 300_000;
    const logits = bed.matrix(2, n, n, (i, j) => i + 0.001 * Math.cos(j));
    const targets = bed.indices(2, n);
    const losses = bed.vector(2);
    bed.run((kernels) => kernels.softmaxCrossEntropy(logits.offset, targets, 2, n, losses.offset));
    bed.check(t, 'probabilities and losses', [logits, losses], within(0, 6e-7));
  });

  test(title('softmax cross-entropy neither overflows nor loses a certain target'), (t) => {
    const bed = new Bed(backend);
    const rows = [
      [1e38, -1e38, 0, 5, 1],
      [-300, -301, -302, -303, -304],
      [200, 0, 0, 0, 0],
      [3, -INFINITE, -INFINITE, -INFINITE, -INFINITE],
    ];
    const logits = bed.matrix(4, 5, 5, (i, j) => rows[i][j]);
    const targets = bed.indices(4, 1);
    const losses = bed.vector(4);
    bed.run((kernels) => kernels.softmaxCrossEntropy(logits.offset, targets, 4, 5, losses.offset));
    bed.check(t, 'extreme logits', [logits, losses], within(3e-7));
  });

  test(
    title('a NaN or +infinity among the logits makes its row and loss NaN, and no other'),
    (t) => {
      const bed = new Bed(backend);
      for (const n of [3, 4, 6, 9]) {
        for (const [column, intruder] of [NOT_A_NUMBER, INFINITE, NOT_A_NUMBER].entries()) {
          bed.clear();
          const logits = bed.matrix(3, n, n, (i, j) => (i === 1 && j === column ? intruder : j));
          const targets = bed.indices(3, n);
          const losses = bed.vector(3);
          bed.kernels.softmaxCrossEntropy(logits.offset, targets, 3, n, losses.offset);
          const spoilt = [...bed.numbersOf(logits)].map(Number.isNaN);
          t.deepEqual(
            spoilt,
            Array.from({ length: 3 * n }, (_, i) => Math.floor(i / n) === 1),
          );
          t.deepEqual([...bed.numbersOf(losses)].map(Number.isNaN), [false, true, false]);
        }
      }
    },
  );

  test(title('a row of softmax cross-entropy has the same bits in any cut'), (t) => {
    const bed = new Bed(backend);
    const [rows, n] = [7, 37];
    const values: Fill = (i, j) => Math.sin(i * 91 + j) * 9;
    const atOnce = bed.matrix(rows, n, n, values);
    const losses = bed.vector(rows);
    const targets = bed.indices(rows, n);
    bed.kernels.softmaxCrossEntropy(atOnce.offset, targets, rows, n, losses.offset);
    for (let cut = 0; cut <= rows; cut++) {
      const inParts = bed.matrix(rows, n, n, values);
      const lossesInParts = bed.vector(rows);
      const from = (row: number, count: number) =>
        bed.kernels.softmaxCrossEntropy(
          inParts.offset + row * n,
          targets + row,
          count,
          n,
          lossesInParts.offset + row,
        );
      from(cut, rows - cut);
      from(0, cut);
      t.deepEqual(bed.bitsOf(inParts), bed.bitsOf(atOnce));
      t.deepEqual(bed.bitsOf(lossesInParts), bed.bitsOf(losses));
    }
  });

  test(title('rows are gathered by index at every awkward width'), (t) => {
    const bed = new Bed(backend);
    for (const n of AWKWARD_SIZES) {
      for (const rows of [0, 1, 6]) {
        bed.clear();
        const source = bed.matrix(5, n, n + 3);
        const index = bed.indices(rows, 5);
        const out = bed.matrix(rows, n, n + 1);
        bed.run((kernels) =>
          kernels.gatherRows(source.offset, n + 3, index, rows, n, out.offset, n + 1),
        );
        bed.check(t, `${rows} rows, n ${n}`, [out], EXACT);
      }
    }
  });

  test(title('rows are added by index, repeated ones too, at every awkward width'), (t) => {
    const bed = new Bed(backend);
    for (const groups of [0, 1, 3]) {
      for (const n of AWKWARD_SIZES) {
        bed.clear();
        const [rows, stride] = [7, n + 2];
        const a = bed.grouped(groups, rows, n, stride, rows * stride + 3);
        const index = bed.indices(rows, 4, rows + 2, groups);
        const out = bed.matrix(4, n, n + 5);
        bed.run((kernels) =>
          kernels.scatterAddRows(
            ...([a.offset, stride, rows * stride + 3, index, rows + 2] as const),
            ...([groups, rows, n, out.offset, n + 5] as const),
          ),
        );
        bed.check(t, `${groups} groups, n ${n}`, [out], within(2e-6));
      }
    }
  });

  test(
    title('dropout keeps the units that the counter says, scaled, at every awkward width'),
    (t) => {
      const bed = new Bed(backend);
      for (const [i, n] of AWKWARD_SIZES.entries()) {
        for (const threshold of [0, 1, 2 ** 31, 0xc000_0000, 2 ** 32 - 1]) {
          bed.clear();
          const source = bed.matrix(5, n);
          const out = bed.matrix(5, n);
          bed.run((kernels) =>
            kernels.dropout(source.offset, out.offset, 5, n, 1000 * i, -77 * i, threshold, 1.25),
          );
          bed.check(t, `n ${n}, threshold ${threshold}`, [out], within(0, 6e-8));
        }
      }
    },
  );

  test(title('dropout in place keeps what the definition of its bits keeps'), (t) => {
    const bed = new Bed(backend);
    const [rows, n, firstStream, key, threshold] = [3, 11, 4_000_000, 0x7fff_fff1, 0x6000_0000];
    const out = bed.matrix(rows, n, n, () => 3);
    bed.kernels.dropout(out.offset, out.offset, rows, n, firstStream, key, threshold, 0.5);
    const wanted = Float32Array.from({ length: rows * n }, (_, i) => {
      const row = mix(key ^ Math.imul(firstStream + Math.floor(i / n), ROW_STEP));
      return mix(row + Math.imul(i % n, UNIT_STEP)) >>> 0 >= threshold ? 1.5 : 0;
    });
    t.deepEqual(bed.numbersOf(out), wanted);
  });

  test(title('dropout gives a row the same bits in any cut'), (t) => {
    const bed = new Bed(backend);
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      n: fc.integer({ min: 1, max: 40 }),
      firstStream: fc.nat(),
      key: fc.integer(),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const law = fc.property(cases, ({ rows, n, firstStream, key, cut }) => {
      bed.clear();
      const source = bed.matrix(rows, n);
      const [atOnce, inParts] = [bed.matrix(rows, n), bed.matrix(rows, n)];
      const drop = (out: number, row: number, count: number) =>
        bed.kernels.dropout(
          ...([source.offset + row * n, out + row * n, count, n] as const),
          ...([firstStream + row, key, 2 ** 30, 1.3] as const),
        );
      drop(atOnce.offset, 0, rows);
      const first = Math.floor(cut * rows);
      drop(inParts.offset, first, rows - first);
      drop(inParts.offset, 0, first);
      return bed.bitsOf(inParts).equals(bed.bitsOf(atOnce));
    });
    t.notThrows(() => fc.assert(law, { seed: 4, numRuns: 100 }));
  });
}
