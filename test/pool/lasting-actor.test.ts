import test, { type ExecutionContext } from 'ava';
import { InputError } from '../../src/errors.ts';
import { ActorDiedError, ActorLostError } from '../../src/pool/actor.ts';
import { type LastingActorOptions, startLastingActor } from '../../src/pool/lasting-actor.ts';
import type { Subject } from './actor-entry.ts';

const ENTRY = new URL('./actor-entry.js', import.meta.url);

function start(t: ExecutionContext, options?: LastingActorOptions) {
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const actor = startLastingActor<Subject>('subject', ENTRY, { onWarning, ...options });
  t.teardown(() => actor.terminate());
  const attempts = new Int32Array(new SharedArrayBuffer(4));
  return { actor, calls: actor.calls, warnings, attempts };
}

test('a call whose thread dies is made again on a new thread, and so are those that waited behind it', async (t) => {
  const { actor, calls, warnings, attempts } = start(t);
  const before = await calls.thread();
  const [died, ...sums] = await Promise.all([
    calls.die(1, attempts, 'exit'),
    calls.add(1, 2),
    calls.add(3, 4),
  ]);
  t.is(died, 1);
  t.deepEqual(sums, [3, 7]);
  t.is(attempts[0], 2);
  t.not(await calls.thread(), before);
  t.is(actor.restarts, 1);
  const end = 'The subject thread ended unexpectedly with exit code 5. Its';
  t.deepEqual(warnings, [
    `${end} die is done again by a new one.`,
    `${end} add is done again by a new one.`,
    `${end} add is done again by a new one.`,
  ]);
});

test('the third death at one call loses the actor, and says so', async (t) => {
  const { actor, calls, attempts } = start(t);
  const error = await t.throwsAsync(calls.die(3, attempts, 'exit'), { instanceOf: ActorLostError });
  t.is(
    error.message,
    'The subject thread ended unexpectedly with exit code 5. That was 3 times at die.',
  );
  t.true(error.cause instanceof ActorDiedError);
  t.is(error.exitCode, 1);
  t.is(attempts[0], 3);
  t.is(actor.restarts, 2);
  t.is(await calls.add(1, 1), 2);
});

test('what sets a thread up is done again on each new one, with what was given last', async (t) => {
  const { calls, attempts } = start(t, { setUp: ['tell'] });
  await calls.tell('old');
  await calls.tell('new');
  const [, told] = await Promise.all([calls.die(2, attempts, 'exit'), calls.told()]);
  t.is(told, 'new');
});

test('a thread that ended between two calls is replaced by the next one, which does not count its death', async (t) => {
  const { actor, calls, attempts } = start(t);
  await t.throwsAsync(calls.exit(1), { instanceOf: ActorLostError });
  t.is(actor.restarts, 2);
  t.is(await calls.die(2, attempts, 'exit'), 2);
  t.is(actor.restarts, 5);
});

test('what a method throws is no death', async (t) => {
  const { actor, calls, warnings } = start(t);
  await t.throwsAsync(calls.fail('input'), { instanceOf: InputError });
  t.is(actor.restarts, 0);
  t.deepEqual(warnings, []);
});

test('a thread that makes no progress is ended, and its call made again', async (t) => {
  const { calls, warnings, attempts } = start(t, { limitSeconds: 3 });
  await calls.add(1, 1);
  t.is(await calls.die(1, attempts, 'spin'), 1);
  t.deepEqual(warnings, [
    'The subject thread failed: no progress for 3 s; raise --worker-timeout where the work takes so long. ' +
      'Its die is done again by a new one.',
  ]);
});

test('after terminate nothing is started anew: the call under way rejects, and each after it', async (t) => {
  const { actor, calls, attempts } = start(t);
  const call = calls.die(1, attempts, 'spin');
  await Promise.all([t.throwsAsync(call, { instanceOf: ActorDiedError }), actor.terminate()]);
  await t.throwsAsync(calls.add(1, 1), { instanceOf: ActorDiedError });
  t.is(actor.restarts, 0);
});
