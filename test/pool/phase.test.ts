import test from 'ava';
import { Phase } from '../../src/pool/phase.ts';
import { StagedWork } from '../../src/pool/staged-work.ts';

/** Each stage of two tasks. */
const workOf = (stages: number) =>
  new StagedWork(
    Array.from({ length: stages }, () => ({
      tasks: [{ kind: 'ping' }, { kind: 'ping' }] as const,
    })),
  );
/** How many have to arrive at the stages that a share waits for; of the first one `undefined` where it waits for nothing. */
const awaitedBy = (phase: Phase) => phase.messages(0).map(({ awaited }) => awaited?.tasks);

test('a stage waits for all tasks of the one before; only the last one closes', (t) => {
  const phase = Phase.together(workOf(3), 7);
  t.deepEqual(awaitedBy(phase), [undefined, 2, 2]);
  t.deepEqual(
    phase.messages(1).map(({ closes }) => closes),
    [undefined, undefined, 2],
  );
  t.is(phase.hold, undefined);
});

test('what is given ahead waits for the phase before, and after its revocable stages for the coordinator too', (t) => {
  const before = Phase.together(workOf(2), 7);
  const ahead = (revocable: number) => Phase.ahead(workOf(4), 8, { phase: before, revocable });
  t.deepEqual(awaitedBy(ahead(2)), [2, 2, 3, 2]);
  t.deepEqual(ahead(2).hold, { gate: ahead(2).gate, stage: 1 });
  t.deepEqual(ahead(2).messages(0)[0].awaited, { gate: before.gate, stage: 1, tasks: 2 });
  t.deepEqual(awaitedBy(ahead(4)), [2, 2, 2, 2], 'all of it can be taken back');
  t.is(ahead(4).hold, undefined);
});
