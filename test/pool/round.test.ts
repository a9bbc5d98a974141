import test from 'ava';
import { collectGarbage } from '../../src/bench/collect.ts';
import { Round } from '../../src/pool/round.ts';
import { StagedWork } from '../../src/pool/staged-work.ts';

/** Each stage of two tasks. */
const workOf = (stages: number) =>
  new StagedWork(
    Array.from({ length: stages }, () => ({
      tasks: [{ kind: 'ping' }, { kind: 'ping' }] as const,
    })),
  );
/** How many have to arrive at the stages that a share waits for; of the first one `undefined` where it waits for nothing. */
const awaitedBy = (round: Round) => round.messages(0).map(({ awaited }) => awaited?.tasks);

test('a stage waits for all tasks of the one before; only the last one closes', (t) => {
  const round = Round.together(workOf(3), 7);
  t.deepEqual(awaitedBy(round), [undefined, 2, 2]);
  t.deepEqual(
    round.messages(1).map(({ closes }) => closes),
    [undefined, undefined, 2],
  );
  t.is(round.hold, undefined);
});

test('what is given ahead waits for the round before, and after its revocable stages for the coordinator too', (t) => {
  const before = Round.together(workOf(2), 7);
  const ahead = (revocable: number) => Round.ahead(workOf(4), 8, before, revocable);
  t.deepEqual(awaitedBy(ahead(2)), [2, 2, 3, 2]);
  t.deepEqual(ahead(2).hold, { gate: ahead(2).gate, stage: 1 });
  t.deepEqual(ahead(2).messages(0)[0].awaited, { gate: before.gate, stage: 1, tasks: 2 });
  t.deepEqual(awaitedBy(ahead(4)), [2, 2, 2, 2], 'all of it can be taken back');
  t.is(ahead(4).hold, undefined);
});

test('a round keeps none of those before it', async (t) => {
  const before: WeakRef<StagedWork>[] = [];
  let round = Round.together(workOf(1), 0);
  for (let ticket = 1; ticket < 9; ticket++) {
    before.push(new WeakRef(round.work));
    round = Round.ahead(workOf(1), ticket, round, 1);
  }
  // In a later task: what has just been made is kept to the end of this one.
  await new Promise(setImmediate);
  collectGarbage();
  t.deepEqual(
    before.filter((work) => work.deref()),
    [],
  );
  t.is(round.ticket, 8);
});
