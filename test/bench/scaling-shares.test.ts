import test from 'ava';
import fc from 'fast-check';
import { type ScalingPart, sharesOf, streamsPerWorker } from '../../src/bench/scaling-shares.ts';
import { profileOf, type TimedTasks } from '../../src/bench/step-profile.ts';

const tasks = (...seconds: number[]) => seconds.map((each) => ({ seconds: each }));

/** A step of one worker: 8 s of compute, 1 s of reduce, 0.5 s of update, 0.5 s without a task. */
const ONE: ScalingPart = {
  workers: 1,
  streams: 16,
  profile: profileOf([
    [{ seconds: 10, tasks: { compute: tasks(8), reduce: tasks(1), update: tasks(0.5) } }],
  ]),
};

const near = (value: number, wanted: number) => Math.abs(value - wanted) < 1e-12;

test('what two workers take beyond one is told apart by its cause', (t) => {
  // 1 s more of compute in all, 0.4 s more of reduce and update, 1 s and 0.2 s of waiting, 0.7 s without a task.
  const step: TimedTasks = {
    seconds: 7,
    tasks: { compute: tasks(5, 4), reduce: tasks(0.8, 0.6), update: tasks(0.25, 0.25) },
  };
  const shares = sharesOf({ workers: 2, streams: 16, profile: profileOf([[step]]) }, ONE);
  t.true(near(shares.efficiency, 10 / 14));
  t.true(near(shares.lostToMemory, 1 / 14));
  t.true(near(shares.lostToReduction, 0.4 / 14));
  t.true(near(shares.lostToImbalance, 1.2 / 14));
  // 2 · 0.95 s without a task, of which one worker has 0.5 s.
  t.true(near(shares.lostToCoordination, 1.4 / 14));
});

test('work in proportion that takes as long is all efficiency, and what is done once a step is a gain', (t) => {
  const step = { seconds: 9, tasks: { compute: tasks(8, 8), reduce: tasks(0.5, 0.5) } };
  const shares = sharesOf({ workers: 2, streams: 32, profile: profileOf([[step]]) }, ONE);
  t.true(near(shares.efficiency, 20 / 18));
  t.true(near(shares.lostToMemory, 0));
  t.true(shares.lostToReduction < 0);
});

test('the first measurement loses nothing', (t) => {
  const { efficiency, ...losses } = sharesOf(ONE, ONE);
  t.is(efficiency, 1);
  t.deepEqual(new Set(Object.values(losses).map(Math.abs)), new Set([0]));
});

test('efficiency and losses add up to 1, whatever was measured', (t) => {
  const time = fc.double({ min: 0.01, max: 5, noNaN: true });
  const part = fc
    .record({ workers: fc.integer({ min: 1, max: 16 }), streams: fc.integer({ min: 1, max: 99 }) })
    .chain(({ workers, streams }) => {
      const times = fc
        .array(time, { minLength: 1, maxLength: workers })
        .map((each) => tasks(...each));
      const phases = fc.record({ compute: times, reduce: times, update: times });
      const step = fc.record({
        seconds: fc.double({ min: 15, max: 60, noNaN: true }),
        tasks: phases,
      });
      return fc
        .array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 9 })
        .map((batches) => ({ workers, streams, profile: profileOf(batches) }));
    });
  fc.assert(
    fc.property(part, part, (now, first) => {
      const shares = Object.values(sharesOf(now, first));
      const size = shares.reduce((sum, share) => sum + Math.abs(share), 0);
      return Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) <= 1e-12 * size;
    }),
  );
  t.pass();
});

const halfBusy = (seconds: number): TimedTasks => ({
  seconds,
  tasks: { compute: tasks(seconds / 2, seconds / 4) },
});

test('a profile is the mean of the middle half of the steps', (t) => {
  t.deepEqual(profileOf([90, 2, 4, 3, 5, 1, 80, 6].map((seconds) => [halfBusy(seconds)])), {
    seconds: 4.5,
    tasks: { compute: { busySeconds: 3.375, slowestSeconds: 2.25 } },
  });
});

test('steps that were given out at once count together, the one with which the coordinator is woken too', (t) => {
  const batches = [[4, 8], [1, 3], [90], [5, 5, 8]].map((batch) => batch.map(halfBusy));
  t.is(profileOf(batches).seconds, 6, 'of [4, 8] and [5, 5, 8]');
});

for (const [counts, streams, lanes, unit] of [
  [[1, 2], 50, 8, 25],
  [[2, 4], 50, 8, 13],
  [[1, 2, 4, 8, 16], 50, 16, 16],
  [[4, 8, 16], 50, 16, 4],
  [[3, 5], 8, 8, 3],
] as const) {
  test(`weak scaling to ${counts} workers has ${unit} streams each, and never fewer than ${lanes} lanes`, (t) => {
    t.is(streamsPerWorker(counts, streams, lanes), unit);
    t.true(unit * Math.min(...counts) >= lanes);
  });
}
