import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Kernels } from '../../src/kernels/contract.ts';
import { sumTree } from '../../src/kernels/lane-tree.ts';
import type { Offset } from '../../src/memory/table.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';
import { AWKWARD_SIZES, Bed, type Matrix, within } from './bed.ts';

interface Sizes {
  groups: number;
  /** Rows of each lane. */
  lanes: readonly number[];
  m: number;
  n: number;
  accumulate: 0 | 1;
  gap: number;
}

interface Operands {
  a: Matrix;
  aGroupStride: number;
  b: Matrix;
  bGroupStride: number;
  laneRows: Offset;
  c: Matrix;
  scratch: Matrix;
}

const rowsOf = (lanes: readonly number[]) => lanes.reduce((sum, rows) => sum + rows, 0);
const tolerance = ({ groups, lanes }: Sizes) =>
  within(2e-6 * Math.sqrt(groups * rowsOf(lanes) + 1), 1e-6);

function place(bed: Bed, { groups, lanes, m, n, gap }: Sizes): Operands {
  const rows = rowsOf(lanes);
  const aGroupStride = rows * (m + gap) + gap;
  const bGroupStride = rows * (n + gap) + 2 * gap;
  return {
    a: bed.grouped(groups, rows, m, m + gap, aGroupStride),
    aGroupStride,
    b: bed.grouped(groups, rows, n, n + gap, bGroupStride),
    bGroupStride,
    laneRows: bed.integers(lanes),
    c: bed.matrix(m, n, n + gap),
    scratch: bed.vector(bed.kernels.scratchLength(groups, Math.max(...lanes), lanes.length, m, n)),
  };
}

function multiply(kernels: Kernels, sizes: Sizes, operands: Operands): void {
  const { a, aGroupStride, b, bGroupStride, laneRows, c, scratch } = operands;
  const { groups, lanes, m, n, accumulate } = sizes;
  kernels.multiplyTransposed(
    ...([a.offset, a.stride, aGroupStride] as const),
    ...([b.offset, b.stride, bGroupStride] as const),
    ...([groups, laneRows, lanes.length, c.offset, c.stride, m, n] as const),
    ...([accumulate, scratch.offset] as const),
  );
}

function check(t: ExecutionContext, bed: Bed, sizes: Sizes): void {
  bed.clear();
  const operands = place(bed, sizes);
  bed.run((kernels) => multiply(kernels, sizes, operands));
  bed.check(t, JSON.stringify(sizes), [operands.c], tolerance(sizes), [operands.scratch]);
}

for (const backend of KERNEL_BACKENDS) {
  const title = (law: string) => `${backend.name}: ${law}`;

  test(title('a sum of outer products is right at every awkward size'), (t) => {
    const bed = new Bed(backend);
    for (const [i, m] of AWKWARD_SIZES.entries()) {
      for (const [j, n] of AWKWARD_SIZES.entries()) {
        const rows = AWKWARD_SIZES[(i + 2 * j) % 12];
        check(t, bed, { groups: 1, lanes: [rows], m, n, accumulate: 0, gap: 0 });
      }
    }
  });

  test(title('a sum of outer products takes none, one and several groups'), (t) => {
    const bed = new Bed(backend);
    for (const groups of [0, 1, 3]) {
      for (const rows of AWKWARD_SIZES) {
        for (const accumulate of [0, 1] as const) {
          check(t, bed, { groups, lanes: [rows], m: 13, n: 19, accumulate, gap: 4 });
        }
      }
    }
  });

  test(title('a sum of outer products larger than a block in each direction is right'), (t) => {
    const bed = new Bed(backend);
    check(t, bed, { groups: 3, lanes: [87], m: 483, n: 33, accumulate: 1, gap: 0 });
    check(t, bed, { groups: 103, lanes: [5], m: 31, n: 261, accumulate: 0, gap: 1 });
    check(t, bed, { groups: 9, lanes: [31, 5, 28], m: 255, n: 517, accumulate: 1, gap: 1 });
  });

  test(title('a sum of outer products takes any number of lanes, empty ones too'), (t) => {
    const bed = new Bed(backend);
    for (let count = 1; count <= 9; count++) {
      for (const accumulate of [0, 1] as const) {
        const lanes = Array.from({ length: count }, (_, lane) => (5 * lane + count) % 4);
        check(t, bed, { groups: 3, lanes, m: 17, n: 37, accumulate, gap: 2 });
      }
    }
  });

  test(title('lanes are added as the tree adds them, to the bit'), (t) => {
    const bed = new Bed(backend);
    const cases = fc.record({
      groups: fc.integer({ min: 1, max: 5 }),
      lanes: fc.array(fc.integer({ min: 0, max: 70 }), { minLength: 1, maxLength: 9 }),
      m: fc.integer({ min: 1, max: 20 }),
      n: fc.integer({ min: 1, max: 40 }),
    });
    const law = fc.property(cases, (drawn) => {
      bed.clear();
      const sizes: Sizes = { ...drawn, accumulate: 0, gap: 0 };
      const whole = place(bed, sizes);
      multiply(bed.kernels, sizes, whole);
      const laneByLane = drawn.lanes.map((rows, lane) => {
        const firstRow = rowsOf(drawn.lanes.slice(0, lane));
        const c = bed.matrix(drawn.m, drawn.n);
        multiply(bed.kernels, { ...sizes, lanes: [rows] }, fromLane(whole, lane, firstRow, c));
        return c.offset;
      });
      const words = drawn.m * drawn.n;
      const sum = sumTree(
        0,
        laneByLane.length,
        (lane, count) => (count === 1 ? laneByLane[lane] : undefined),
        (left, right, out) => bed.kernels.add(left, right, out, words),
        bed.vector(5 * words).offset,
        words,
      );
      return bed.bitsOf({ ...whole.c, offset: sum }).equals(bed.bitsOf(whole.c));
    });
    t.notThrows(() => fc.assert(law, { seed: 3, numRuns: 100 }));
  });

  test(title('a sum of outer products has the same bits at any place, stride and cut'), (t) => {
    const bed = new Bed(backend);
    const cases = fc.record({
      groups: fc.integer({ min: 0, max: 9 }),
      lanes: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 3 }),
      m: fc.integer({ min: 1, max: 30 }),
      n: fc.integer({ min: 1, max: 40 }),
      accumulate: fc.constantFrom<0 | 1>(0, 1),
      gap: fc.integer({ min: 1, max: 6 }),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const law = fc.property(cases, ({ cut, ...sizes }) => {
      bed.clear();
      const first = place(bed, sizes);
      const second = place(bed, { ...sizes, gap: 0 });
      for (const name of ['a', 'b', 'c'] as const) copyGroups(bed, sizes, first, second, name);
      multiply(bed.kernels, sizes, first);
      const head = Math.floor(cut * sizes.m);
      multiply(bed.kernels, { ...sizes, m: head }, second);
      multiply(bed.kernels, { ...sizes, m: sizes.m - head }, fromColumn(second, head));
      return bed.bitsOf(second.c).equals(bed.bitsOf(first.c));
    });
    t.notThrows(() => fc.assert(law, { seed: 2, numRuns: 100 }));
  });

  test(
    title('rows are summed right at every awkward width, in none, one and several groups'),
    (t) => {
      const bed = new Bed(backend);
      for (const groups of [0, 1, 3]) {
        for (const n of AWKWARD_SIZES) {
          for (const accumulate of [0, 1] as const) {
            bed.clear();
            const a = bed.grouped(groups, 9, n, n + 2, 9 * (n + 2) + 5);
            const out = bed.vector(n);
            const groupStride = 9 * (n + 2) + 5;
            bed.run((kernels) =>
              kernels.sumRows(a.offset, n + 2, groupStride, groups, 9, n, accumulate, out.offset),
            );
            bed.check(t, `${groups} groups, n ${n}, accumulate ${accumulate}`, [out], within(1e-5));
          }
        }
      }
    },
  );

  test(title('a sum of rows has the same bits in any cut of the columns'), (t) => {
    const bed = new Bed(backend);
    const a = bed.matrix(21, 60);
    const [atOnce, inParts] = [bed.vector(60), bed.vector(60)];
    bed.kernels.sumRows(a.offset, 60, 0, 1, 21, 60, 0, atOnce.offset);
    for (let cut = 0; cut <= 60; cut++) {
      bed.kernels.sumRows(a.offset, 60, 0, 1, 21, cut, 0, inParts.offset);
      bed.kernels.sumRows(a.offset + cut, 60, 0, 1, 21, 60 - cut, 0, inParts.offset + cut);
      t.true(bed.bitsOf(inParts).equals(bed.bitsOf(atOnce)), `cut at ${cut}`);
    }
  });
}

/** The result's rows from one on: the columns of a from one on. */
function fromColumn(operands: Operands, column: number): Operands {
  const { a, c } = operands;
  return {
    ...operands,
    a: { ...a, offset: a.offset + column },
    c: { ...c, offset: c.offset + column * c.stride },
  };
}

/** One lane of the operands alone, its result in `c`. */
function fromLane(operands: Operands, lane: number, firstRow: number, c: Matrix): Operands {
  const { a, b, laneRows } = operands;
  return {
    ...operands,
    a: { ...a, offset: a.offset + firstRow * a.stride },
    b: { ...b, offset: b.offset + firstRow * b.stride },
    laneRows: laneRows + lane,
    c,
  };
}

/** Gives `to` the numbers of `from`, group by group. */
function copyGroups(
  bed: Bed,
  { groups, lanes }: Sizes,
  from: Operands,
  to: Operands,
  name: 'a' | 'b' | 'c',
): void {
  if (name === 'c') {
    bed.write(to.c, bed.numbersOf(from.c));
    return;
  }
  const key = `${name}GroupStride` as const;
  for (let g = 0; g < groups; g++) {
    const group = (operands: Operands): Matrix => ({
      ...operands[name],
      rows: rowsOf(lanes),
      offset: operands[name].offset + g * operands[key],
    });
    bed.write(group(to), bed.numbersOf(group(from)));
  }
}
