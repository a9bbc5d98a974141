/** Actors whose thread the system refuses to start. */
import test, { type ExecutionContext } from 'ava';
import { ActorDiedError, ActorLostError, startActor } from '../../src/pool/actor.ts';
import { startLastingActor } from '../../src/pool/lasting-actor.ts';
import { FaultInjector } from '../faults/injector.ts';
import type { Subject } from './actor-entry.ts';

const ENTRY = new URL('./actor-entry.js', import.meta.url);
const REFUSED =
  'The subject thread could not be started: the system starts no more threads (EAGAIN): ' +
  'lower --workers, or raise its limit of threads or of memory';

const injector = new FaultInjector();
test.after.always(() => injector.remove());

/** Starts are refused no more once there were so many warnings. */
function startLasting(t: ExecutionContext, mostWarnings = Number.POSITIVE_INFINITY) {
  const warnings: string[] = [];
  const onWarning = (message: string) => {
    if (warnings.push(message) >= mostWarnings) injector.startsLeft = Number.POSITIVE_INFINITY;
  };
  const actor = startLastingActor<Subject>('subject', ENTRY, { onWarning });
  t.teardown(() => {
    injector.startsLeft = Number.POSITIVE_INFINITY;
    return actor.terminate();
  });
  return { actor, calls: actor.calls, warnings };
}

test.serial('each call of such an actor rejects with the reason', async (t) => {
  injector.startsLeft = 0;
  const actor = startActor<Subject>('subject', ENTRY);
  injector.startsLeft = Number.POSITIVE_INFINITY;
  const error = await t.throwsAsync(actor.calls.add(1, 2), { instanceOf: ActorDiedError });
  t.is(error.message, REFUSED);
  t.is(await actor.exited, error);
  t.false(actor.alive);
  await actor.terminate();
});

test.serial('a refused start is a death: the call is made again on the next thread', async (t) => {
  const { calls, warnings } = startLasting(t, 2);
  await calls.add(1, 1);
  injector.startsLeft = 0;
  await t.throwsAsync(calls.exit(1), { instanceOf: ActorLostError });
  t.is(await calls.add(1, 2), 3);
  t.is(warnings[1], `${REFUSED}. Its exit is done again by a new one.`);
});

test.serial('the third refused start loses the actor, and says so', async (t) => {
  injector.startsLeft = 0;
  const { calls, warnings } = startLasting(t);
  const error = await t.throwsAsync(calls.add(1, 2), { instanceOf: ActorLostError });
  t.is(error.message, `${REFUSED}. That was 3 times at add.`);
  t.is(warnings.length, 2);
  injector.startsLeft = Number.POSITIVE_INFINITY;
  t.is(await calls.add(1, 2), 3);
});
