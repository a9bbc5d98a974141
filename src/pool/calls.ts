/** Typed calls from one thread to another, over a port of worker_threads. */
import type { MessagePort, Worker } from 'node:worker_threads';
import { expose, wrap } from 'comlink';
import { type ErrorRecord, fromErrorRecord, toErrorRecord } from '../errors.ts';
import { endpointOf } from './endpoint.ts';

/** Marks what an argument of a call takes along instead of copying it. */
export { transfer } from 'comlink';

/** The methods of Api as they look from another thread. */
export type Calls<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

export type Call = (method: string, args: unknown[]) => Promise<unknown>;

/**
 * What a call comes back as. Errors travel as records inside it, because comlink's own way drops their
 * class and could only be replaced for every user of comlink in the process.
 */
type Answer = { value: unknown } | { error: ErrorRecord };
type Method = (...args: unknown[]) => unknown;
type RemoteMethods = Record<string, (...args: unknown[]) => Promise<Answer>>;

/** Answers the calls that come over `port` with the methods of `api`, each of them sync or async. */
export function answerCalls<Api extends object>(api: Api, port: MessagePort): void {
  const answering = new Proxy(api, {
    get:
      (target, name) =>
      async (...args: unknown[]): Promise<Answer> => {
        try {
          const method = target[name as keyof Api] as Method;
          return { value: await method.apply(target, args) };
        } catch (error) {
          return { error: toErrorRecord(error) };
        }
      },
  });
  expose(answering, endpointOf(port));
}

/**
 * Calls what `answerCalls` answers at the other end of `port`. A call rejects with what the method threw, InputError and
 * TrainingError as themselves. It has no limit of its own: it stays pending where the other end has closed.
 */
export function callOver(port: MessagePort | Worker): Call {
  const remote = wrap(endpointOf(port)) as unknown as RemoteMethods;
  return async (method, args) => {
    const answer = await remote[method](...args);
    if ('error' in answer) throw fromErrorRecord(answer.error);
    return answer.value;
  };
}

/** An object with a method for every name. */
export function callsByName<Api>(call: Call): Calls<Api> {
  const methods = new Proxy(
    {},
    {
      // `then` is no method of another thread, so that its calls can be returned from async functions.
      get: (_target, name) =>
        typeof name === 'string' && name !== 'then'
          ? (...args: unknown[]) => call(name, args)
          : undefined,
    },
  );
  return methods as Calls<Api>;
}
