import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import type { ComputeReply, ComputeTask } from '../../src/pool/compute-protocol.ts';
import { StageGates } from '../../src/pool/stage-gates.ts';
import { TaskChannel } from '../../src/pool/task-channel.ts';

const sample = (first: number): ComputeTask => ({
  kind: 'sample',
  first,
  length: 1,
  generation: 0,
});
const tokenOf = (reply: ComputeReply) => ('ids' in reply ? reply.ids?.[0] : undefined);

/** A channel to a thread that is not started yet; `replies` resolves with the tokens of the next `count`. */
function open(t: ExecutionContext) {
  const tokens: (number | undefined)[] = [];
  let arrived = () => {};
  const channel = new TaskChannel(new StageGates(0), {
    replied(reply) {
      tokens.push(tokenOf(reply));
      arrived();
    },
    over: () => t.fail('no task was in a stage'),
  });
  t.teardown(() => channel.close());
  const replies = async (count: number) => {
    while (tokens.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    return tokens.splice(0);
  };
  const start = () => {
    const { threadEnd } = channel;
    const entry = new URL('./serving-thread.js', import.meta.url);
    const worker = new Worker(entry, { workerData: threadEnd, transferList: [threadEnd.port] });
    t.teardown(() => worker.terminate());
    return worker;
  };
  return { channel, replies, start };
}

test('tasks are served in order: those before the thread was there, many at once, and one after a sleep', async (t) => {
  const { channel, replies, start } = open(t);
  channel.post(sample(7));
  channel.post(sample(8));
  start();
  t.deepEqual(await replies(2), [7, 8]);
  const many = Array.from({ length: 1000 }, (_, i) => i);
  for (const first of many) channel.post(sample(first));
  t.deepEqual(await replies(1000), many);
  for (const first of [1, 2, 3]) {
    channel.post(sample(first));
    t.deepEqual(await replies(1), [first]);
  }
});

test('a thread that sleeps can be ended, and one that throws ends', async (t) => {
  const { channel, replies, start } = open(t);
  channel.post(sample(1));
  const sleeper = start();
  await replies(1);
  t.is(await sleeper.terminate(), 1);
  const other = open(t);
  other.channel.post({ kind: 'ping' });
  const [error] = await once(other.start(), 'error');
  t.is(error.message, 'Expected a sample, got ping');
});
