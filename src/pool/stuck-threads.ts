/** Threads of this process that were told to end and have not: a call of the system, or native code, has not returned to them. */
import type { Worker } from 'node:worker_threads';

const stuck = new Set<Worker>();

/** It keeps the process alive no more. */
export function noteStuck(worker: Worker): void {
  if (stuck.has(worker)) return;
  stuck.add(worker);
  worker.unref();
  worker.once('exit', () => stuck.delete(worker));
}

export function hasStuckThreads(): boolean {
  return stuck.size > 0;
}
