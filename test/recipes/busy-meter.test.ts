import test from 'ava';
import { BusyMeter } from '../../src/recipes/busy-meter.ts';

const task = (worker: number, seconds: number) => ({
  ...{ worker, seconds },
  ...{ startedSeconds: 0, waitSeconds: 0 },
});

test('steps that were given out at once have each what its own tasks took, the last all the rest', (t) => {
  const pool = { busySeconds: [0.5, 0] };
  const meter = new BusyMeter(pool);
  t.deepEqual(meter.take(), [0.5, 0]);
  // Two steps, of which the pool tells at once: the first worker did 1 and 2 s, the second 4 and 3 s, and 1 s of a task that was lost.
  pool.busySeconds = [3.5, 8];
  const tasks = { compute: [task(0, 0.75), task(1, 4)], reduce: [task(0, 0.25)], update: [] };
  t.deepEqual(meter.takeOf({ tasks }), [1, 4]);
  t.deepEqual(meter.total, [1.5, 4]);
  t.deepEqual(meter.take(), [2, 4]);
  t.deepEqual(meter.total, [3.5, 8]);
  t.deepEqual(meter.take(), [0, 0]);
});
