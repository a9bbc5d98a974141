import test from 'ava';
import { sumTree } from '../../src/kernels/lane-tree.ts';
import type { Offset } from '../../src/memory/table.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';
import { AWKWARD_SIZES, Bed, EXACT, within } from './bed.ts';

for (const backend of KERNEL_BACKENDS) {
  test(`${backend.name}: vectors are added, in place too`, (t) => {
    const bed = new Bed(backend);
    for (const n of AWKWARD_SIZES) {
      bed.clear();
      const [a, b, out] = [bed.vector(n), bed.vector(n), bed.vector(n)];
      bed.run((kernels) => kernels.add(a.offset, b.offset, out.offset, n));
      bed.check(t, `n ${n}`, [out], within(1e-7));
      bed.run((kernels) => kernels.add(a.offset, b.offset, a.offset, n));
      bed.check(t, `n ${n}, into a`, [a], within(1e-7));
      bed.run((kernels) => kernels.add(a.offset, b.offset, b.offset, n));
      bed.check(t, `n ${n}, into b`, [b], within(2e-7));
    }
  });

  test(`${backend.name}: lanes are summed, at any length`, (t) => {
    const bed = new Bed(backend);
    for (let lanes = 1; lanes <= 9; lanes++) {
      for (const n of [...AWKWARD_SIZES, 300]) {
        bed.clear();
        const base = bed.vector(1).offset;
        const vectors = Array.from({ length: lanes }, () => bed.vector(n).offset - base);
        const present = vectors.map((place, lane) => ((7 * lane + n + lanes) % 3 > 0 ? place : 0));
        const places = bed.integers(present);
        const out = bed.vector(n);
        const scratch = bed.vector(bed.kernels.sumScratchLength(lanes));
        bed.run((kernels) => kernels.sumLanes(base, places, lanes, n, out.offset, scratch.offset));
        bed.check(t, `${lanes} lanes, n ${n}`, [out], within(1e-6), [scratch]);
      }
    }
  });

  test(`${backend.name}: a sum over lanes has the bits of the tree, whichever of them contribute`, (t) => {
    const bed = new Bed(backend);
    const n = 5;
    const lanes = Array.from({ length: 11 }, (_, lane) =>
      bed.vector(n, (i) => Math.sin(i + lane) * 100 ** (lane % 3)),
    );
    const [out, scratch] = [bed.vector(n), bed.vector(bed.kernels.sumScratchLength(11))];
    const tree = bed.vector(5 * n).offset;
    const zero = bed.vector(n, () => 0).offset;
    const places = bed.integers(lanes.map(() => 0));
    const addSums = (left: Offset, right: Offset, to: Offset) =>
      bed.kernels.add(left, right, to, n);
    for (let count = 1; count <= lanes.length; count++) {
      for (let contributing = 0; contributing < 2 ** count; contributing++) {
        const placeOf = (lane: number) => ((contributing >> lane) & 1 ? lanes[lane].offset : 0);
        for (let lane = 0; lane < count; lane++) bed.ints[places + lane] = placeOf(lane);
        bed.kernels.sumLanes(0, places, count, n, out.offset, scratch.offset);
        const leafOf = (lane: number, length: number) => (length === 1 ? placeOf(lane) : undefined);
        const sum = sumTree(0, count, leafOf, addSums, tree, n) || zero;
        const same = bed.bitsOf({ ...out, offset: sum }).equals(bed.bitsOf(out));
        if (!same) t.fail(`${count} lanes, of which contribute ${contributing.toString(2)}`);
      }
    }
    t.pass();
  });

  test(`${backend.name}: vectors are copied and filled`, (t) => {
    const bed = new Bed(backend);
    for (const n of AWKWARD_SIZES) {
      bed.clear();
      const [source, out] = [bed.vector(n), bed.vector(n)];
      bed.run((kernels) => kernels.copy(source.offset, out.offset, n));
      bed.check(t, `n ${n}`, [out], EXACT);
      bed.run((kernels) => kernels.fill(out.offset, n, -1.5));
      bed.check(t, `n ${n}`, [out], EXACT);
    }
  });

  test(`${backend.name}: a sum of squares is one of float64`, (t) => {
    const bed = new Bed(backend);
    for (const n of [...AWKWARD_SIZES, 1001]) {
      bed.clear();
      const a = bed.vector(n);
      const want = bed.numbersOf(a).reduce((sum, x) => sum + x * x, 0);
      const got = bed.kernels.sumOfSquares(a.offset, n);
      t.true(Math.abs(got - want) <= 1e-14 * want, `n ${n}: ${got} instead of ${want}`);
    }
  });

  test(`${backend.name}: a sum of squares has the same bits wherever the vector stands`, (t) => {
    const bed = new Bed(backend);
    const values = (i: number) => Math.sin(i);
    const sums = [0, 1, 2, 3].map(() => {
      const a = bed.vector(1003, values);
      return bed.kernels.sumOfSquares(a.offset, 1003);
    });
    t.is(new Set(sums).size, 1);
  });

  test(`${backend.name}: a sum of squares goes beyond float32, and keeps NaN`, (t) => {
    const bed = new Bed(backend);
    const large = bed.vector(9, () => 2 ** 100);
    t.is(bed.kernels.sumOfSquares(large.offset, 9), 9 * 2 ** 200);
    const spoilt = bed.vector(9, (i) => (i === 8 ? Number.NaN : 1));
    t.is(bed.kernels.sumOfSquares(spoilt.offset, 9), Number.NaN);
  });
}
