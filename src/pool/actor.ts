/** The main side of an actor: a thread that lives as long as its owner and answers typed calls. */
import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import { fromErrorRecord, messageOf, TrainingError } from '../errors.ts';
import type { Answer } from './actor-thread.ts';
import { endpointOf } from './endpoint.ts';

/** The methods of Api as they look from another thread. */
export type Calls<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

export interface Actor<Api> {
  readonly name: string;
  /**
   * A call rejects with what the method threw (InputError and TrainingError as themselves), or with
   * ActorDiedError once the thread has ended: then nothing of the call can write to memory any more.
   */
  readonly calls: Calls<Api>;
  /** Resolves, never rejects, once the thread has ended, with the error that calls get from then on. */
  readonly exited: Promise<ActorDiedError>;
  /** Ends the thread, whatever it does, and waits for its end; calls under way reject. */
  terminate(): Promise<void>;
}

/** The thread of an actor has ended; it answers no call, and starting it anew is safe. */
export class ActorDiedError extends TrainingError {
  readonly actor: string;

  constructor(actor: string, end: string, cause?: unknown) {
    super(`The ${actor} thread ${end}`, {}, { cause });
    this.actor = actor;
  }
}

type RemoteMethods = Record<string, (...args: unknown[]) => Promise<Answer>>;

/**
 * Starts the module `entry`, which must call `exposeActor`, in a thread of its own. The thread keeps
 * the process alive only while a call is under way.
 */
export function startActor<Api extends object>(
  name: string,
  entry: URL,
  workerData?: unknown,
): Actor<Api> {
  // The process's own flags are not for it: --input-type, say, refuses any entry that is a file.
  const worker = new Worker(entry, { name, workerData, execArgv: [] });
  worker.unref();
  const remote = wrap(endpointOf(worker)) as unknown as RemoteMethods;
  const pending = new Set<(reason: ActorDiedError) => void>();
  let failure: unknown;
  let terminated = false;
  let death: ActorDiedError | undefined;

  worker.on('error', (error) => {
    failure ??= error;
  });
  const exited = new Promise<ActorDiedError>((resolve) => {
    worker.once('exit', (code) => {
      death = new ActorDiedError(name, describeEnd(code, failure, terminated), failure);
      for (const reject of pending) reject(death);
      pending.clear();
      resolve(death);
    });
  });

  // Not Promise.race against `exited`: each call would leave a reaction on it for the thread's whole life.
  function settleOrDie(method: string, args: unknown[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      pending.add(reject);
      const settled = () => {
        pending.delete(reject);
        if (pending.size === 0) worker.unref();
      };
      worker.ref();
      remote[method](...args)
        .then(resolve, reject)
        .finally(settled);
    });
  }

  async function call(method: string, args: unknown[]): Promise<unknown> {
    if (death) throw death;
    const answer = await settleOrDie(method, args);
    if ('error' in answer) throw fromErrorRecord(answer.error);
    return answer.value;
  }

  return {
    name,
    calls: callsByName(call) as Calls<Api>,
    exited,
    async terminate() {
      terminated = true;
      await worker.terminate();
      await exited;
    },
  };
}

function callsByName(call: (method: string, args: unknown[]) => Promise<unknown>): object {
  return new Proxy(
    {},
    {
      // `then` is no method of an actor, so that its calls can be returned from async functions.
      get: (_target, name) =>
        typeof name === 'string' && name !== 'then'
          ? (...args: unknown[]) => call(name, args)
          : undefined,
    },
  );
}

function describeEnd(code: number, failure: unknown, terminated: boolean): string {
  if (failure !== undefined) return `failed: ${messageOf(failure)}`;
  return terminated ? 'was terminated.' : `ended unexpectedly with exit code ${code}.`;
}
