/** The thread's side of an actor. */
import { parentPort } from 'node:worker_threads';
import { answerCalls } from './calls.ts';

/** Answers the calls of `startActor` with the methods of `api`, each of them sync or async. */
export function exposeActor<Api extends object>(api: Api): void {
  if (!parentPort) throw new Error('exposeActor was called outside a worker thread');
  answerCalls(api, parentPort);
}
