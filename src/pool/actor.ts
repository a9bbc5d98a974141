/** The main side of an actor: a thread that lives as long as its owner and answers typed calls. */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { messageOf, TrainingError } from '../errors.ts';
import { type Calls, callOver, callsByName } from './calls.ts';
import { THREAD_LIMITS } from './thread-limits.ts';
import { noteStuck, noteThread, refusedStart } from './threads.ts';
import { EXIT_LIMIT_SECONDS } from './watch.ts';

export interface Actor<Api> {
  readonly name: string;
  /**
   * A call rejects with what the method threw (InputError and TrainingError as themselves), with
   * ActorDiedError once the thread has ended: then nothing of the call can write to memory any more; or with
   * ActorStuckError where the thread was told to end and does not. It has no limit: that is of lasting-actor.ts.
   */
  readonly calls: Calls<Api>;
  /**
   * Resolves, never rejects, once the thread has ended, with the error that calls get from then on. It may live for ever:
   * `terminate` waits for it with a limit.
   */
  readonly exited: Promise<ActorDiedError>;
  readonly alive: boolean;
  /** What calls get while the thread has not ended though it was told to: it may still write, to memory and to disk. */
  readonly stuck: ActorStuckError | undefined;
  /** Ends the thread, whatever it does, and waits for its end or until it is found stuck; calls under way reject. */
  terminate(reason?: Error): Promise<void>;
}

/** The thread of an actor has ended, or the system refused to start it; it answers no call, and starting it anew is safe. */
export class ActorDiedError extends TrainingError {
  readonly actor: string;

  constructor(actor: string, end: string, cause?: unknown) {
    super(`The ${actor} thread ${end}`, {}, { cause });
    this.actor = actor;
  }

  /** The message, with a full stop whatever the cause ends in. */
  get sentence(): string {
    return this.message.replace(/[^.]$/, '$&.');
  }
}

/** The thread of an actor was told to end and does not; once it has ended, starting it anew is safe. */
export class ActorStuckError extends TrainingError {}

/** Something that an actor was asked to do cannot be done by it, nor by a new one. */
export class ActorLostError extends TrainingError {}

export interface ActorOptions {
  workerData?: unknown;
  /** Beside those of every thread. */
  limits?: ResourceLimits;
}

/**
 * Starts the module `entry`, which must call `exposeActor`, in a thread of its own. The thread keeps
 * the process alive only while a call is under way. An actor whose thread the system refuses to start is dead from the first.
 */
export function startActor<Api extends object>(
  name: string,
  entry: URL,
  { workerData, limits }: ActorOptions = {},
): Actor<Api> {
  let worker: Worker;
  try {
    // The process's own flags are not for it: --input-type, say, refuses any entry that is a file.
    worker = new Worker(entry, {
      name,
      workerData,
      execArgv: [],
      resourceLimits: { ...THREAD_LIMITS, ...limits },
    });
  } catch (error) {
    const cause = refusedStart(error);
    return deadActor(new ActorDiedError(name, `could not be started: ${cause.message}`, cause));
  }
  const ask = callOver(worker);
  worker.unref(); // After that, which listens to the thread and so keeps the process alive.
  const pending = new Set<(reason: TrainingError) => void>();
  noteThread(worker, () => pending.size > 0);
  let failure: unknown;
  let terminated = false;
  let alive = true;
  /** What calls get from now on. */
  let death: TrainingError | undefined;

  function refuse(reason: TrainingError): void {
    death = reason;
    for (const reject of pending) reject(reason);
    pending.clear();
  }

  worker.on('error', (error) => {
    failure ??= error;
  });
  const exited = new Promise<ActorDiedError>((resolve) => {
    worker.once('exit', (code) => {
      alive = false;
      const reason = new ActorDiedError(name, describeEnd(code, failure, terminated), failure);
      refuse(reason);
      resolve(reason);
    });
  });

  // Ends with the thread at the latest, which whoever calls ends where it hangs (lasting-actor.ts).
  // Not Promise.race against `exited`: each call would leave a reaction on it for the thread's whole life.
  function settleOrDie(method: string, args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      pending.add(reject);
      const settled = () => {
        pending.delete(reject);
        if (pending.size === 0) worker.unref();
      };
      worker.ref();
      ask(method, args).then(resolve, reject).finally(settled);
    });
  }

  async function call(method: string, args: unknown[]): Promise<unknown> {
    if (death) throw death;
    return await settleOrDie(method, args);
  }

  return {
    name,
    calls: callsByName<Api>(call),
    exited,
    get alive() {
      return alive;
    },
    get stuck() {
      return death instanceof ActorStuckError ? death : undefined;
    },
    async terminate(reason) {
      if (death) return;
      terminated = true;
      failure ??= reason;
      void worker.terminate();
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, EXIT_LIMIT_SECONDS * 1000);
      });
      await Promise.race([exited, limit]).finally(() => clearTimeout(timer));
      if (!alive) return;
      refuse(stuck(name, reason));
      noteStuck(worker);
    },
  };
}

function deadActor<Api>(death: ActorDiedError): Actor<Api> {
  return {
    name: death.actor,
    calls: callsByName<Api>(() => Promise.reject(death)),
    exited: Promise.resolve(death),
    alive: false,
    stuck: undefined,
    terminate: () => Promise.resolve(),
  };
}

function stuck(name: string, reason?: Error): ActorStuckError {
  const why = reason ? `: ${reason.message}` : '';
  return new ActorStuckError(`The ${name} thread was told to end and does not${why}`);
}

function describeEnd(code: number, failure: unknown, terminated: boolean): string {
  if (failure !== undefined) return `failed: ${messageOf(failure)}`;
  return terminated ? 'was terminated.' : `ended unexpectedly with exit code ${code}.`;
}
