/** What threads may take of the machine. */
import type { ResourceLimits } from 'node:worker_threads';

/**
 * A thread's garbage is that of its messages: a small young generation does, where the default of Node.js would hold tens of
 * MiB of it in every thread before it is first collected.
 */
export const THREAD_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 4 };
