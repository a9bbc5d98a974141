import test from 'ava';
import { phaseSecondsOf } from '../../src/coordinator/step-phases.ts';

test('a phase lasts from the end of the one before to the end of its last task, and all add up to the step', (t) => {
  const task = (startedSeconds: number, seconds: number) => ({
    startedSeconds,
    seconds,
    waitSeconds: 0,
    worker: 0,
  });
  const tasks = {
    compute: [task(11, 5), task(12, 8)],
    reduce: [task(21, 2), task(20, 1)],
    update: [task(23, 1), task(23, 3)],
  };
  const times = { begun: 10, clipSeconds: 0.5, committed: 30 };
  const phases = phaseSecondsOf(tasks, { ...times, overlapped: false });
  t.deepEqual(phases, { compute: 10, reduce: 3, clip: 0.5, update: 3, commit: 3.5 });
  t.deepEqual(Object.keys(phases), ['compute', 'reduce', 'clip', 'update', 'commit']);
  const overlapped = phaseSecondsOf(tasks, { ...times, overlapped: true });
  t.deepEqual(overlapped, { compute: 10, reduce: 3, clip: 0, update: 3, commit: 0 });
});
