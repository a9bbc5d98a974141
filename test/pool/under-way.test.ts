import test from 'ava';
import type { ComputeTask } from '../../src/pool/compute-protocol.ts';
import { newFanOut } from '../../src/pool/fan-out-state.ts';
import { Round } from '../../src/pool/round.ts';
import { StagedWork } from '../../src/pool/staged-work.ts';
import { UnderWay } from '../../src/pool/under-way.ts';

const took = (startedSeconds: number) => ({ startedSeconds, seconds: 0.5, halts: false });

/** A thread that has done so many tasks of its share. */
const threadThat = (done: number, waiting: boolean) => ({
  done: () => Array.from({ length: done }, (_, i) => took(i)),
  waiting,
});

test('of a thread that does not end, what it has done counts, and the failure names what it is stuck in', async (t) => {
  const task: ComputeTask = { kind: 'ping' };
  const work = new StagedWork(
    Array.from({ length: 12 }, (_, i) => ({
      tasks: [task, task],
      place: { step: 1 + Math.floor(i / 3) },
    })),
  );
  const underWay = new UnderWay(2);
  const over = underWay.begin(Round.together(work, 0));
  const idle = newFanOut(2);
  const slots = idle.slots.map((slot, share) => ({
    ...slot,
    thread: 'busy' as const,
    share,
  }));
  const cause = new Error('no progress for 30 s');
  // One thread has gone on as far as it can, the other hangs in the first stage of step 3.
  underWay.take(0, slots[0], took(0), threadThat(7, true));
  underWay.lose(1, slots[1], cause, threadThat(6, false));
  t.is(work.results().length, 6);
  underWay.settle({ ...idle, slots, failure: { kind: 'stuck', slot: 1 } }, cause);
  const error = await t.throwsAsync(over, { message: /does not end: no progress for 30 s/ });
  t.like(error, { place: { step: 3 } });
});
