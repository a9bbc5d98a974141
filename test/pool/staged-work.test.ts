import test from 'ava';
import type { ComputeTask } from '../../src/pool/compute-protocol.ts';
import { StagedWork } from '../../src/pool/staged-work.ts';

const task = (first: number): ComputeTask => ({
  kind: 'sample',
  first,
  length: 1,
  generation: 0,
});
/** Tasks told apart by a number: ten times the stage, and the index. */
const stagesOf = (...sizes: number[]) =>
  sizes.map((size, stage) => ({
    tasks: Array.from({ length: size }, (_, index) => task(10 * stage + index)),
    place: { step: stage },
  }));
const took = (startedSeconds: number, seconds: number) => ({ startedSeconds, seconds });
const handedOut = (seconds: number) => ({ handedOut: seconds, worker: 0 });

test('as few threads as can do it have one task of each stage, in order', (t) => {
  const { columns, sizes } = new StagedWork(stagesOf(2, 1, 3));
  t.deepEqual(sizes, [2, 1, 3]);
  const places = columns.map((column) => column.map(({ stage, index }) => [stage, index]));
  t.deepEqual(places, [
    [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
    [
      [0, 1],
      [2, 1],
    ],
    [[2, 2]],
  ]);
  t.deepEqual(columns[1][1].task, task(21));
});

test('what is done is missing no more; the deaths of each task are counted', (t) => {
  const work = new StagedWork(stagesOf(2, 2));
  const [[first], [, last]] = work.columns;
  const missing = () => work.missing.map(({ stage, index }) => [stage, index]);
  work.complete(first, took(1, 1), handedOut(0));
  work.countDeath(last);
  work.countDeath(last);
  t.deepEqual(missing(), [[0, 1]]);
  t.deepEqual([work.deathsOf(first), work.deathsOf(last)], [0, 2]);
  t.deepEqual(work.results(), []);
  work.complete(work.missing[0], took(1, 1), handedOut(0));
  t.deepEqual(missing(), [
    [1, 0],
    [1, 1],
  ]);
  t.deepEqual(work.placeOf(work.missing[0]), { step: 1 });
  t.is(work.results().length, 1, 'of the stages that are done');
});

test('nothing is missing after a stage that halts, once it is done', (t) => {
  const work = new StagedWork(stagesOf(2, 2, 1));
  const [[a, c], [b, d]] = work.columns;
  for (const task of [a, b]) work.complete(task, took(1, 1), handedOut(0));
  work.complete(c, { ...took(2, 1), halts: true }, handedOut(0));
  t.deepEqual(
    work.missing.map(({ stage, index }) => [stage, index]),
    [[1, 1]],
  );
  work.complete(d, { ...took(2, 1), halts: true }, handedOut(0));
  t.deepEqual(work.missing, []);
  t.is(work.results().length, 2);
});

test('a task waits from when it was handed out and the stage before it was over', (t) => {
  const work = new StagedWork(stagesOf(2, 2));
  const [[a, c], [b, d]] = work.columns;
  work.complete(a, took(12, 4), handedOut(10));
  work.complete(b, took(11, 8), handedOut(10));
  work.complete(c, took(20, 1), handedOut(10));
  work.complete(d, took(25, 1), handedOut(24));
  const waits = work.results().map((results) => results.map(({ waitSeconds }) => waitSeconds));
  t.deepEqual(waits, [
    [2, 1],
    [1, 1],
  ]);
  const later = work.results(11).map((results) => results.map(({ waitSeconds }) => waitSeconds));
  t.deepEqual(later[0], [1, 0]);
});

test('a stage without a task, for which nobody could wait, is refused, and so are too many stages', (t) => {
  t.throws(() => new StagedWork(stagesOf(1, 0, 1)), { message: 'Expected a task in each stage' });
  const tooMany = new Array(13).fill(1);
  t.throws(() => new StagedWork(stagesOf(...tooMany)), { message: 'Expected at most 12 stages' });
  t.deepEqual(new StagedWork(stagesOf(0)).results(), [[]]);
});
