import test from 'ava';
import { toErrorRecord } from '../../src/errors.ts';
import type { ComputeReply, ComputeTask } from '../../src/pool/compute-protocol.ts';
import { ShareRecord } from '../../src/pool/share-record.ts';
import { StageGates } from '../../src/pool/stage-gates.ts';
import { type StagedMessage, StageServer } from '../../src/pool/stage-server.ts';

const PING: ComputeTask = { kind: 'ping' };
const done: ComputeReply = { startedSeconds: 0, seconds: 1 };
const [GATE, RECORD] = [1, 0];

/** A share of the last of two stages, each of which has two tasks; the first is not awaited. */
const share: StagedMessage[] = [
  { task: PING, stage: { gate: GATE, stage: 1 }, closes: 2, record: RECORD },
];
/** One that waits for the end of the stage before. */
const behind: StagedMessage[] = [{ ...share[0], awaited: { gate: GATE, stage: 0, tasks: 2 } }];

function crewOfTwo(perform: () => ComputeReply = () => done) {
  const gates = new StageGates(0);
  const records = [new ShareRecord(), new ShareRecord()];
  const servers = records.map((record) => new StageServer(gates, record, perform));
  return { gates, records, servers };
}

test('only the thread with the last task of the last stage tells; it tells of all', (t) => {
  const { records, servers } = crewOfTwo();
  t.is(servers[0].serve(share), undefined);
  t.deepEqual(servers[1].serve(share), { over: RECORD });
  for (const record of records) {
    t.true(record.look(RECORD));
    t.deepEqual(record.done(RECORD), [{ startedSeconds: 0, seconds: 1, halts: false }]);
  }
});

test('a thread that the coordinator has looked at in vain tells by itself', (t) => {
  const { records, servers } = crewOfTwo();
  t.false(records[0].look(RECORD));
  t.deepEqual(servers[0].serve(share), { over: RECORD });
});

test('a thread that must not begin tells so, and has done nothing', (t) => {
  const { gates, records, servers } = crewOfTwo(() => t.fail('it was recalled') as never);
  gates.recall();
  t.deepEqual(servers[0].serve(behind), { over: RECORD });
  t.deepEqual(records[0].done(RECORD), []);
  t.false(records[0].waiting);
});

test('a failure is told with its share, which is not over, and lets nobody build on it', (t) => {
  const failure = { error: toErrorRecord(new Error('no such lane')) };
  const { gates, records, servers } = crewOfTwo(() => failure);
  t.deepEqual(servers[0].serve(share), { reply: failure, record: RECORD });
  t.false(records[0].look(RECORD));
  t.false(gates.await({ gate: GATE, stage: 1 }, 0));
});

test('a step that halts is done, and nobody builds on it; the last still tells', (t) => {
  const { gates, records, servers } = crewOfTwo(() => ({ ...done, halts: true }));
  t.is(servers[0].serve(share), undefined);
  t.deepEqual(servers[1].serve(share), { over: RECORD });
  t.false(gates.await({ gate: GATE, stage: 1 }, 2));
  t.true(records[0].done(RECORD)[0].halts);
});
