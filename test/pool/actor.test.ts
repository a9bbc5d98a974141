import { execFile } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { InputError, TrainingError } from '../../src/errors.ts';
import { type Actor, ActorDiedError, startActor } from '../../src/pool/actor.ts';
import type { Subject } from './actor-entry.ts';

const ENTRY = new URL('./actor-entry.js', import.meta.url);

function start(t: ExecutionContext, workerData?: unknown): Actor<Subject> {
  const actor = startActor<Subject>('subject', ENTRY, { workerData });
  t.teardown(() => actor.terminate());
  return actor;
}

test('A call returns what the method returns, in another thread', async (t) => {
  const { calls } = start(t, { size: 3 });
  t.is(await calls.add(2, 3), 5);
  t.true((await calls.thread()) > 0);
  t.deepEqual(await calls.data(), { size: 3 });
});

test('Calls under way at the same time each get their own answer', async (t) => {
  const { calls } = start(t);
  const sums = await Promise.all(Array.from({ length: 50 }, (_, i) => calls.add(i, 1)));
  t.deepEqual(
    sums,
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
});

test('Shared memory passes as itself, not as a copy', async (t) => {
  const { calls } = start(t);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  await calls.increment(memory, 3);
  await calls.increment(memory, 2);
  t.deepEqual([...new Int32Array(memory.buffer, 0, 4)], [2, 2, 1, 0]);
});

test('InputError and TrainingError keep class, message and place', async (t) => {
  const { calls } = start(t);
  const input = await t.throwsAsync(calls.fail('input'), { instanceOf: InputError });
  t.is(input.message, 'Expected this, got that.');
  t.is(input.exitCode, 2);
  const training = await t.throwsAsync(calls.fail('training'), { instanceOf: TrainingError });
  t.is(training.message, 'The step failed.');
  t.deepEqual(training.place, { step: 7, phase: 'load' });
  await t.throwsAsync(calls.failLater(), { instanceOf: InputError, message: 'Later.' });
});

test('Other errors keep message, code and stack, and the actor lives on', async (t) => {
  const { calls } = start(t);
  const error = await t.throwsAsync(calls.fail('type'), { message: 'no such thing' });
  t.is((error as NodeJS.ErrnoException).code, 'ENOTHING');
  t.regex(String(error.stack), /actor-entry/);
  await t.throwsAsync(calls.fail('text'), { message: 'only a text' });
  t.is(await calls.add(1, 1), 2);
});

test('What cannot be cloned rejects the call and not the actor', async (t) => {
  const { calls } = start(t);
  await t.throwsAsync(calls.notCloneable());
  const call = calls.add((() => 1) as unknown as number, 2);
  await t.throwsAsync(call, { any: true, name: 'DataCloneError' });
  t.is(await calls.add(1, 1), 2);
});

test('A method that is not there rejects', async (t) => {
  const { calls } = start(t);
  await t.throwsAsync((calls as unknown as { missing(): Promise<void> }).missing());
});

test('Calls pending when the thread exits reject, and say which actor and why', async (t) => {
  const actor = start(t);
  const pending = [actor.calls.exit(7), actor.calls.add(1, 2)];
  for (const call of pending) {
    const error = await t.throwsAsync(call, { instanceOf: ActorDiedError });
    t.is(error.message, 'The subject thread ended unexpectedly with exit code 7.');
    t.is(error.actor, 'subject');
  }
});

test('A call pending when the thread throws outside of it rejects with the cause', async (t) => {
  const actor = start(t);
  const error = await t.throwsAsync(actor.calls.crash(), { instanceOf: ActorDiedError });
  t.is(error.message, 'The subject thread failed: crashed in a timer');
  t.true(error.cause instanceof Error);
  t.is(error, await actor.exited);
});

test('Calls after the end reject at once', async (t) => {
  const actor = start(t);
  await t.throwsAsync(actor.calls.exit(0), { instanceOf: ActorDiedError });
  await t.throwsAsync(actor.calls.add(1, 1), { instanceOf: ActorDiedError });
});

test('A module that cannot be loaded rejects the first call with the reason', async (t) => {
  const entry = new URL('./broken-entry.js', import.meta.url);
  const actor = startActor<Subject>('subject', entry);
  await t.throwsAsync(actor.calls.add(1, 1), { message: 'The subject thread failed: cannot load' });
});

test('terminate ends a thread that never returns, and its call rejects', async (t) => {
  const actor = start(t);
  const began = new Int32Array(new SharedArrayBuffer(4));
  const call = actor.calls.spin(began);
  const rejected = t.throwsAsync(call, { message: 'The subject thread was terminated.' });
  while (Atomics.load(began, 0) === 0) await setImmediate();
  await actor.terminate();
  await rejected;
  await actor.terminate();
  t.true((await actor.exited) instanceof ActorDiedError);
});

/** What a process prints that starts an actor and goes on with `rest`; it is killed where it does not end by itself. */
async function outputOf(rest: string): Promise<string> {
  const program = `
    const { startActor } = await import(${JSON.stringify(new URL('../../src/pool/actor.js', import.meta.url).href)});
    const actor = startActor('subject', new URL(${JSON.stringify(ENTRY.href)}));
    ${rest}
  `;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return stdout;
}

test('A process ends by itself with an idle actor, and not before a pending call is answered', async (t) => {
  t.is(
    await outputOf(`actor.calls.add(2, 3).then((sum) => console.log('answered ' + sum));`),
    'answered 5\n',
  );
});

test('A process ends by itself with an actor that was never called', async (t) => {
  t.is(await outputOf(`console.log('started');`), 'started\n');
});
