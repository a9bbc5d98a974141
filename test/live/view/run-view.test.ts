import test from 'ava';
import { fromReport, toReport } from '../../../src/live/view/report-data.ts';
import { RunView } from '../../../src/live/view/run-view.ts';
import { madeUpEvaluation, madeUpPoint, madeUpRun } from '../page/made-up-run.ts';

test('events are taken in once, whatever is sent twice', (t) => {
  const view = new RunView(madeUpRun(10));
  const added = [9, 10, 11, 12].map(madeUpPoint);
  t.deepEqual(view.apply('points', added), ['points']);
  t.deepEqual(view.apply('points', added), []);
  t.deepEqual(
    view.now.points.map(({ step }) => step),
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  t.deepEqual(view.apply('evaluation', madeUpEvaluation(12)), ['evaluations']);
  t.deepEqual(view.apply('evaluation', madeUpEvaluation(12)), []);
});

test('the last step is completed, and no other', (t) => {
  const view = new RunView(madeUpRun(10));
  const completed = { ...madeUpPoint(10), phaseSeconds: [7] };
  t.deepEqual(view.apply('completed', { ...completed, step: 9 }), []);
  t.deepEqual(view.apply('completed', completed), ['points']);
  t.is(view.now.points.length, 10);
  t.deepEqual(view.now.points.at(-1), completed);
});

test('a state of another kind is told apart from the next step', (t) => {
  const view = new RunView(madeUpRun(10));
  const state = { kind: 'training', step: 11, secondsLeft: 60 } as const;
  t.deepEqual(view.apply('state', state), ['state']);
  t.deepEqual(view.apply('state', { ...state, kind: 'stopped' }), ['state', 'kind']);
});

test('a snapshot replaces all that was known', (t) => {
  const view = new RunView(madeUpRun(1000));
  view.apply('snapshot', madeUpRun(5));
  t.is(view.now.points.length, 5);
  t.deepEqual(view.now.samples, []);
});

test('any number of steps stays within bounds, and none is lost', (t) => {
  const view = new RunView(madeUpRun(100));
  for (let step = 101; step <= 30_000; step++) view.apply('points', [madeUpPoint(step)]);
  const { points } = view.now;
  t.true(points.length <= 2000);
  t.is(
    points.reduce((sum, { steps }) => sum + steps, 0),
    30_000,
  );
});

test('what a report holds is what it was given, with fewer points', (t) => {
  const few = madeUpRun(300);
  t.deepEqual(fromReport(JSON.parse(JSON.stringify(toReport(few)))), few);
  const { points } = fromReport(toReport(madeUpRun(10_000)));
  t.true(points.length <= 500);
  t.deepEqual(points.at(-1), madeUpPoint(10_000));
  t.deepEqual(fromReport(toReport(madeUpRun(0))).points, []);
});
