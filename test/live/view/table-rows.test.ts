import test from 'ava';
import { rowsToShow, type TableRow } from '../../../src/live/view/table-rows.ts';

const rowsOf = (steps: number, layers: readonly string[] = ['0']): TableRow[] =>
  Array.from({ length: steps }, (_, i) =>
    layers.map((layer) => ({ step: i + 1, cells: [layer] })),
  ).flat();

test('a short table is shown whole, the newest first', (t) => {
  t.deepEqual(rowsToShow(rowsOf(3)), { shown: rowsOf(3).toReversed(), isAll: true });
  t.deepEqual(rowsToShow([]), { shown: [], isAll: true });
  t.is(rowsToShow(rowsOf(100)).shown.length, 100);
});

test('of a long one whole steps are left out, evenly, and never the newest', (t) => {
  const { shown, isAll } = rowsToShow(rowsOf(500, ['0', '1', 'head']));
  t.false(isAll);
  t.true(shown.length > 50 && shown.length <= 102, String(shown.length));
  t.is(shown[0].step, 500);
  for (let i = 0; i < shown.length; i += 3) {
    t.deepEqual(
      shown.slice(i, i + 3).map(({ step, cells }) => [step, cells[0]]),
      ['head', '1', '0'].map((layer) => [500 - 5 * i, layer]),
    );
  }
});

test('rows with a rare value stay among those that are left out', (t) => {
  const rows = rowsOf(1999).map((row) => ({ ...row, isRare: row.step % 37 === 0 }));
  const { shown } = rowsToShow(rows);
  t.is(shown.filter(({ isRare }) => isRare).length, 54);
  t.true(shown.length <= 154, String(shown.length));
  t.is(shown[0].step, 1999);
  const all = rowsToShow(rowsOf(1000).map((row) => ({ ...row, isRare: true }))).shown;
  t.is(all.length, 100);
});
