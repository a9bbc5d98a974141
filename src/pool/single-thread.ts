/** A piscina of one thread that computes. */
import { FixedQueue, Piscina } from 'piscina';
import type { ComputeThreadData } from './compute-protocol.ts';
import { THREAD_LIMITS } from './thread-limits.ts';

const ENTRY = new URL('../../workers/compute-worker.js', import.meta.url);

/**
 * Flags of Node.js for the thread; those of the process, such as --input-type, are meant for its main script and would break the
 * entry. Piscina tries require() on the entry first, whose modules are then linked in one go, and a thread that is ended just
 * then takes the whole process with it ("IsGraphAsync must be used on an instantiated module"). Without it the entry is imported.
 */
const FLAGS = ['--no-experimental-require-module'].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

/** The thread starts with the first task, and piscina never starts another one by itself. */
export function singleThread(data: ComputeThreadData): Piscina {
  const piscina = new Piscina({
    filename: ENTRY.href,
    workerData: data,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    taskQueue: new FixedQueue(),
    recordTiming: false,
    execArgv: FLAGS,
    resourceLimits: THREAD_LIMITS,
  });
  // A failure is told by the thread itself; without a listener it would end the process.
  piscina.on('error', () => {});
  return piscina;
}
