import test from 'ava';
import { normal } from '../../src/kernels/mix.ts';
import { randomOrthogonal } from '../../src/model/orthogonal.ts';

const KEY = 5;

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Gram–Schmidt as textbooks have it, row by row, on the Gaussian matrix that is drawn. */
function textbook(width: number): number[][] {
  const done: number[][] = [];
  for (let i = 0; i < width; i++) {
    let row = Array.from({ length: width }, (_, j) => normal(KEY, i * width + j));
    for (const unit of done) {
      const along = dot(row, unit);
      row = row.map((x, j) => x - along * unit[j]);
    }
    const norm = Math.sqrt(dot(row, row));
    done.push(row.map((x) => x / norm));
  }
  return done;
}

// One row, pairs and an odd one, and the edges of a panel of 32 rows.
for (const width of [1, 2, 3, 31, 32, 33, 34, 64, 65, 97]) {
  test(`an orthogonal matrix of ${width} rows is that of Gram and Schmidt`, (t) => {
    const drawn = randomOrthogonal(width, KEY);
    t.is(drawn.length, width * width);
    const rows = Array.from({ length: width }, (_, i) => [
      ...drawn.subarray(i * width, (i + 1) * width),
    ]);
    const expected = textbook(width);
    for (const [i, row] of rows.entries()) {
      for (const [j, x] of row.entries()) t.true(Math.abs(x - expected[i][j]) < 1e-9);
      for (const [j, other] of rows.slice(0, i + 1).entries()) {
        t.true(Math.abs(dot(row, other) - (i === j ? 1 : 0)) < 1e-12);
      }
    }
  });
}

test('another key is another matrix', (t) => {
  t.notDeepEqual(randomOrthogonal(8, 1), randomOrthogonal(8, 2));
});
