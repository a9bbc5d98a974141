import test from 'ava';
import type { FeedEvent, FeedSnapshot } from '../../src/live/feed.ts';
import { LiveRun } from '../../src/live/live-run.ts';
import type { Point, Snapshot } from '../../src/live/protocol.ts';
import { RunEvents, type SentEvent } from '../../src/live/run-events.ts';
import { drawsOf } from '../faults/random.ts';
import { DESCRIPTION, stepRecord } from './sample-points.ts';

/** A run and its events, with one clock. */
function watched() {
  const clock = { seconds: 1000 };
  const now = () => clock.seconds * 1000;
  const run = new LiveRun(DESCRIPTION, now, () => 0);
  const events = new RunEvents(run, now);
  run.begin(DESCRIPTION);
  return { run, events, clock };
}

function partsOf({ bytes }: SentEvent): { id: string; name: string; data: unknown } {
  const [id, name, data] = bytes.toString().split('\n');
  return { id: id.slice(4), name: name.slice(7), data: JSON.parse(data.slice(6)) };
}

const nameOf = (event: SentEvent) => partsOf(event).name;
const idOf = (event: SentEvent) => partsOf(event).id;

/** Steps of all points: those of a snapshot take the place of all before it. */
function stepsTold(events: readonly SentEvent[]): number {
  return events.map(partsOf).reduce((told, { name, data }) => {
    const count = (points: readonly Point[]) => points.reduce((sum, { steps }) => sum + steps, 0);
    if (name === 'snapshot') return count((data as Snapshot).points);
    return name === 'points' ? told + count(data as Point[]) : told;
  }, 0);
}

test('the events that are kept are bounded in bytes', async (t) => {
  const { run, events } = watched();
  run.recordStep(stepRecord(1));
  const before = idOf((await events.unseen(undefined))[0]);
  const text = '\u0001'.repeat(20_000);
  const sample = (step: number) => run.recordSample({ step, text });
  for (let step = 1; step <= 20; step++) sample(step);
  t.is((await events.unseen(before)).length, 20);
  for (let step = 21; step <= 60; step++) sample(step);
  t.deepEqual((await events.unseen(before)).map(nameOf), ['snapshot']);
});

test('those who come within half a second share a snapshot, and are told what came after it', async (t) => {
  const { run, events, clock } = watched();
  run.recordStep(stepRecord(1));
  const first = await events.unseen(undefined);
  t.deepEqual(first.map(nameOf), ['snapshot']);
  run.recordStep(stepRecord(2));
  clock.seconds += 0.4;
  t.deepEqual(
    await events.unseen(undefined),
    first,
    'the step that is pending is told with the next points',
  );
  run.recordSample({ step: 2, text: 'x' });
  const later = await events.unseen(undefined);
  t.deepEqual(later[0], first[0]);
  t.deepEqual(later.slice(1).map(nameOf), ['points', 'state', 'sample']);
  clock.seconds += 0.2;
  const anew = await events.unseen(undefined);
  t.deepEqual(anew.map(nameOf), ['snapshot']);
  t.not(idOf(anew[0]), idOf(first[0]));
});

test('whenever one comes or comes back, every step is told once', async (t) => {
  const draw = drawsOf(2611);
  const { run, events, clock } = watched();
  const listeners: { seen: SentEvent[]; leave: () => void }[] = [];
  const come = async (lastId?: string, before: readonly SentEvent[] = []) => {
    const seen = [...before, ...(await events.unseen(lastId))];
    listeners.push({ seen, leave: events.listen((event) => seen.push(event)) });
  };
  for (let step = 1; step <= 300; step++) {
    clock.seconds += draw(4) / 10;
    run.recordStep(stepRecord(step));
    if (draw(4) === 0) run.recordSample({ step, text: 'x' });
    if (draw(3) === 0) await come();
    if (draw(3) === 0 && listeners.length > 0) {
      const { seen, leave } = listeners.splice(draw(listeners.length), 1)[0];
      leave();
      await come(idOf(seen[seen.length - 1]), seen);
    }
  }
  run.recordSample({ step: 300, text: 'the end' });
  for (const { seen, leave } of listeners) {
    leave();
    t.is(stepsTold(seen), 300);
  }
});

test('a snapshot that comes sooner than the last events before it is sent once it is there', async (t) => {
  let tell: (event: FeedEvent) => void = () => {};
  const snapshot: FeedSnapshot = { number: 7, json: '{}' };
  const events = new RunEvents({
    listen(listener) {
      tell = listener;
      return () => {};
    },
    snapshot: async () => snapshot,
  });
  const numbersOf = (sent: readonly SentEvent[]) => sent.map(({ number }) => number);
  tell({ number: 5, name: 'state', json: '{}' });
  const first = await events.unseen(undefined);
  t.deepEqual(numbersOf(first), [7]);
  for (const number of [6, 7, 8]) tell({ number, name: 'state', json: '{}' });
  t.deepEqual(numbersOf(await events.unseen(undefined)), [7, 8]);
  t.deepEqual(numbersOf(await events.unseen(idOf(first[0]))), [8]);
});

test('a feed that gives no snapshot is asked again by the next one who comes', async (t) => {
  let asked = 0;
  const events = new RunEvents({
    listen: () => () => {},
    async snapshot() {
      if (++asked === 1) throw new Error('gone');
      return { number: 0, json: '{}' };
    },
  });
  await t.throwsAsync(events.unseen(undefined), { message: 'gone' });
  t.deepEqual((await events.unseen(undefined)).map(nameOf), ['snapshot']);
});
