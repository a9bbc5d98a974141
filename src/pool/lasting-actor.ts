/**
 * An actor that outlives its thread: when the thread dies or makes no progress, a new one takes its place and is given the calls
 * that were under way. Its methods must therefore be such that a call can be made again.
 */
import {
  type Actor,
  ActorDiedError,
  ActorLostError,
  type ActorStuckError,
  startActor,
} from './actor.ts';
import { type Calls, callsByName } from './calls.ts';
import { MAX_DEATHS } from './fan-out-state.ts';
import { LOAD_LIMIT_SECONDS, noProgress, Watch } from './watch.ts';

export interface LastingActorOptions {
  workerData?: unknown;
  /** Methods that set a thread up: the last call of each is made again on a new thread. */
  setUp?: readonly string[];
  /** A thread that settles no call and does not beat its pulse for so long is ended; 0: never. */
  limitSeconds?: number;
  /** One sentence for each thread that died. */
  onWarning?(message: string): void;
}

export interface LastingActor<Api> {
  readonly name: string;
  /**
   * A call rejects with what the method threw; with ActorLostError where it took down MAX_DEATHS threads; or with
   * ActorStuckError where its thread does not end, and so does each call after it until that thread has ended.
   */
  readonly calls: Calls<Api>;
  /** (1), shared: a method that takes long is given it, and counts it up as it gets on. */
  readonly pulse: Int32Array;
  /** Threads that died and were replaced. */
  readonly restarts: number;
  /** Set while a thread that was told to end has not: it is not replaced, for it may still write. */
  readonly stuck: ActorStuckError | undefined;
  /** Ends the thread for good and waits for its end, or until it is found stuck; calls under way reject. */
  terminate(): Promise<void>;
}

/** Starts the module `entry`, which must call `exposeActor`, in a thread of its own. */
export function startLastingActor<Api extends object>(
  name: string,
  entry: URL,
  { workerData, setUp = [], limitSeconds = 0, onWarning }: LastingActorOptions = {},
): LastingActor<Api> {
  const pulse = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const lastSetUp = new Map<string, unknown[]>();
  const watchFor = (limit: number) =>
    new Watch(limit, () => void actor.terminate(noProgress(limit)), pulse);
  const loading = watchFor(limitSeconds && Math.max(limitSeconds, LOAD_LIMIT_SECONDS));
  const working = watchFor(limitSeconds);
  /** A thread is loading until it has settled its first call. */
  let watch = loading;
  let actor = startActor<Api>(name, entry, { workerData });
  let restarts = 0;
  let pending = 0;
  let terminated = false;

  /** The actor to call; a new one where the last has died. */
  function living(): Actor<Api> {
    if (actor.alive || terminated) return actor;
    restarts++;
    watch.end();
    watch = loading;
    actor = startActor<Api>(name, entry, { workerData });
    // Calls are done in order: whatever becomes of these becomes of the call that follows them.
    for (const [method, args] of lastSetUp) callOf(actor, method)(...args).catch(() => undefined);
    return actor;
  }

  async function callUntilDone(method: string, args: unknown[]): Promise<unknown> {
    for (let deaths = 1; ; deaths++) {
      const current = living();
      watch.begin();
      try {
        return await callOf(current, method)(...args);
      } catch (error) {
        if (terminated || !(error instanceof ActorDiedError)) throw error;
        const death = error.sentence;
        if (deaths === MAX_DEATHS) {
          throw new ActorLostError(
            `${death} That was ${deaths} times at ${method}.`,
            {},
            { cause: error },
          );
        }
        onWarning?.(`${death} Its ${method} is done again by a new one.`);
      }
    }
  }

  async function call(method: string, args: unknown[]): Promise<unknown> {
    pending++;
    try {
      const result = await callUntilDone(method, args);
      if (setUp.includes(method)) lastSetUp.set(method, args);
      return result;
    } finally {
      pending--;
      loading.end();
      watch = working;
      if (pending > 0) watch.begin();
      else watch.end();
    }
  }

  return {
    name,
    calls: callsByName<Api>(call),
    pulse,
    get restarts() {
      return restarts;
    },
    get stuck() {
      return actor.stuck;
    },
    async terminate() {
      terminated = true;
      loading.close();
      working.close();
      await actor.terminate();
    },
  };
}

function callOf<Api>(actor: Actor<Api>, method: string): (...args: unknown[]) => Promise<unknown> {
  return (actor.calls as Record<string, (...args: unknown[]) => Promise<unknown>>)[method];
}
