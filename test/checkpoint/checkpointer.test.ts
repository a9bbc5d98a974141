import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Checkpointer, type CheckpointerParts } from '../../src/checkpoint/checkpointer.ts';
import { lockRun } from '../../src/checkpoint/run-lock.ts';
import { checkpointName } from '../../src/checkpoint/store.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleState } from './samples.ts';

/** A checkpointer that hears of what its writer did when the test waits for it, and not before: then the event loop goes round. */
function startCheckpointer(t: ExecutionContext, callbacks: Partial<CheckpointerParts> = {}) {
  const folder = temporaryFolder(t);
  const lock = lockRun(folder);
  t.teardown(() => lock.release());
  const told: string[] = [];
  const counted: string[] = [];
  const checkpointer = new Checkpointer({
    folder,
    lock: lock.claim,
    keep: 1,
    memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    tensors: [],
    limitSeconds: 0,
    logs: () => [],
    snapshot: async () => {},
    onWritten: ({ step }) => counted.push(`written ${step}`),
    onFailed: (_, error) => t.fail(error.message),
    onRefused: (error) => t.fail(error.message),
    onSkipped: () => counted.push('skipped'),
    onWarning: (message) => told.push(message),
    ...callbacks,
  });
  t.teardown(() => checkpointer.close());
  /** A periodic checkpoint; true where it was taken. */
  const save = (step: number) =>
    checkpointer.save({ state: sampleState(step), best: false, wait: false });
  const finish = () => checkpointer.settled();
  const check = () => checkpointer.check();
  return { folder, save, finish, check, told, counted };
}

test('of checkpoints left out in a row the first is told, and when they are in time again', async (t) => {
  const { save, finish, told, counted } = startCheckpointer(t);
  t.true(await save(10));
  t.deepEqual(told, []);
  for (const step of [20, 30, 40]) t.false(await save(step));
  t.is(told.length, 1);
  t.regex(told[0], /^The checkpoint of step 20 is left out, because the one before it is still/);
  await finish();
  t.true(await save(50));
  await finish();
  t.is(told.length, 1);
  t.true(await save(60));
  t.deepEqual(told.slice(1), [
    'Checkpoints are written in time again, that of step 60 too; 3 were left out.',
  ]);
  await finish();
  t.true(await save(70));
  t.false(await save(80));
  t.regex(told[2], /^The checkpoint of step 80 is left out/);
  await finish();
  t.is(told.length, 3);
  t.is(counted.filter((what) => what === 'skipped').length, 4);
});

test('a disk that takes every other checkpoint is told of once', async (t) => {
  const { save, finish, told } = startCheckpointer(t);
  for (let step = 10; step < 100; step += 20) {
    t.true(await save(step));
    t.false(await save(step + 10));
    await finish();
  }
  t.is(told.length, 1);
});

test('what an observer of a written checkpoint throws is no failure to write, and others are still written', async (t) => {
  const onWritten = ({ step }: { step: number }) => {
    if (step === 10) throw new Error('my observer broke');
  };
  const { folder, save, finish, check } = startCheckpointer(t, { onWritten });
  t.true(await save(10));
  await finish();
  t.throws(check, { message: 'my observer broke' });
  t.true(await save(20));
  await finish();
  t.true(existsSync(join(folder, checkpointName(20))));
});

test('what an observer of a failure throws is kept until it is asked for', async (t) => {
  const onFailed = (_: unknown, error: Error) => {
    throw new Error(`told of ${error.message}`);
  };
  const logs = () => {
    throw new Error('no log');
  };
  const { save, finish, check } = startCheckpointer(t, { logs, onFailed });
  t.true(await save(10));
  await t.notThrowsAsync(finish());
  t.throws(check, { message: 'told of no log' });
});
