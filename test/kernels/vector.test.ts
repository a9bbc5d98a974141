import test from 'ava';
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
