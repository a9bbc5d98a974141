import test from 'ava';
import { ShareRecord } from '../../src/pool/share-record.ts';

const took = (startedSeconds: number, halts = false) => ({ startedSeconds, seconds: 0.5, halts });

test('each record holds the tasks that are done, for whoever has the memory', (t) => {
  const thread = new ShareRecord();
  const coordinator = new ShareRecord(thread.memory);
  thread.add(0, took(1));
  thread.add(1, took(2));
  thread.add(0, took(3, true));
  t.deepEqual(coordinator.done(0), [took(1), took(3, true)]);
  t.deepEqual(coordinator.done(1), [took(2)]);
  coordinator.reset(0);
  t.deepEqual(thread.done(0), []);
  t.deepEqual(thread.done(1), [took(2)]);
});

test('of thread and coordinator, whoever comes second to a share that is over knows it', (t) => {
  const record = new ShareRecord();
  t.false(record.isOver(0));
  t.false(record.finish(0), 'nobody has looked: the coordinator will see it');
  t.true(record.isOver(0));
  t.true(record.look(0));
  t.false(record.look(1));
  t.true(record.finish(1), 'the coordinator was too early, and must be told');
  record.reset(0);
  t.false(record.isOver(0));
  t.false(record.finish(0));
});

test('the pulse beats with each task and at the end of waiting, of which the time is not the next task’s', (t) => {
  const record = new ShareRecord();
  const beats = () => record.pulse[0];
  record.add(1, took(1));
  t.is(beats(), 1);
  record.waiting = true;
  t.deepEqual([record.waiting, beats()], [true, 1]);
  record.waiting = false;
  t.deepEqual([record.waiting, beats()], [false, 2]);
});
