/** The thread's side of an actor. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import { type ErrorRecord, toErrorRecord } from '../errors.ts';
import { endpointOf } from './endpoint.ts';

/**
 * What a call comes back as. Errors travel as records inside it, because comlink's own way drops their
 * class and could only be replaced for every user of comlink in the process.
 */
export type Answer = { value: unknown } | { error: ErrorRecord };

type Method = (...args: unknown[]) => unknown;

/** Answers the calls of `startActor` with the methods of `api`, each of them sync or async. */
export function exposeActor<Api extends object>(api: Api): void {
  if (!parentPort) throw new Error('exposeActor was called outside a worker thread');
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
  expose(answering, endpointOf(parentPort));
}
