/** The threads of this process that have not ended. Node lets the process end only after them. */
import type { Worker } from 'node:worker_threads';
import { errorCode, messageOf } from '../errors.ts';

/** With whether the thread may be in a call of the system now. */
const living = new Map<Worker, () => boolean>();
const stuck = new Set<Worker>();

export function noteThread(worker: Worker, mayWait: () => boolean): void {
  living.set(worker, mayWait);
  worker.once('exit', () => {
    living.delete(worker);
    stuck.delete(worker);
  });
}

/** It was told to end and has not: a call of the system, or native code, has not returned to it. It keeps the process alive no more. */
export function noteStuck(worker: Worker): void {
  stuck.add(worker);
  worker.unref();
}

export function hasStuckThreads(): boolean {
  return stuck.size > 0;
}

/** Whether a thread may be in a call of the system, which cannot be ended before the call returns. */
export function mayHaveToWait(): boolean {
  return hasStuckThreads() || [...living.values()].some((mayWait) => mayWait());
}

/** Tells all threads to end: they run no JavaScript any more, in a moment. Who owns them takes it for their death. */
export function endAllThreads(): void {
  for (const worker of living.keys()) void worker.terminate();
}

/** What `new Worker` threw, with what to do where the system starts no more threads. */
export function refusedStart(error: unknown): Error {
  const message = messageOf(error);
  const isRefused = errorCode(error) === 'ERR_WORKER_INIT_FAILED';
  const reason = `the system starts no more threads (${message}): lower --workers, or raise its limit of threads or of memory`;
  return new Error(isRefused ? reason : message, { cause: error });
}
