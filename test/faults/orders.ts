/** Orders to die, in memory that the test and all its threads share. */

/** Real ways for a thread to die, and an endless loop, which only --worker-timeout ends. */
export const MANNERS = ['exit', 'throw', 'memory', 'hang', 'terminate'] as const;
export type Manner = (typeof MANNERS)[number];

/** What a thread is asked to do: tasks of the pool, then calls of the loader, the checkpoint writer and the server. */
const JOBS = [
  'ping',
  'initialize',
  'pack',
  'train',
  'evaluate',
  'flow',
  'squares',
  'reduce',
  'update',
  'snapshot',
  'scan',
  'use',
  'fill',
  'write',
  'publish',
] as const;
export type Job = (typeof JOBS)[number];

/** Whose job it is, where it is none of a worker's. */
export const ACTOR_OF: Readonly<Partial<Record<Job, string>>> = {
  scan: 'loader',
  use: 'loader',
  fill: 'loader',
  write: 'checkpoint writer',
  publish: 'server',
};

/**
 * Before anything is done of it; when all is done but the answer; when it stands in the record but the other threads do not know it
 * yet; or when they know it, with all else of the share, and the coordinator does not. Where there is no record the last two are
 * `after` too.
 */
export const MOMENTS = ['before', 'after', 'recorded', 'arrived'] as const;
export type When = (typeof MOMENTS)[number];

export interface Order {
  manner: Manner;
  job: Job;
  when: When;
  /** The shard, or the first range (0) or another (1); -1: any, and for an actor. */
  shard: number;
  /** So many of these jobs are spared first. */
  spare: number;
  /** Threads in a row that die of it; 1 unless given. */
  times?: number;
}

/** What `setEnvironmentData` names the orders by, so that each new thread has them. */
export const ORDERS = 'threadloom test: orders to die';

const CAPACITY = 32;
/** left (0: none), manner, job, moment, shard, spare */
const FIELDS = 6;

export function createOrders(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CAPACITY * FIELDS * Int32Array.BYTES_PER_ELEMENT));
}

/** Replaces all orders. Their threads must be at rest. */
export function giveOrders(words: Int32Array, orders: readonly Order[]): void {
  if (orders.length > CAPACITY) throw new RangeError(`At most ${CAPACITY} orders`);
  words.fill(0);
  for (const [i, { manner, job, when, shard, spare, times = 1 }] of orders.entries()) {
    const numbers = [MANNERS.indexOf(manner), JOBS.indexOf(job), MOMENTS.indexOf(when)];
    words.set([times, ...numbers, shard, spare], i * FIELDS);
  }
}

/** Deaths that order number `index` has yet to bring about. */
export function deathsLeft(words: Int32Array, index: number): number {
  return Math.max(0, Atomics.load(words, index * FIELDS));
}

/** Takes the order to die at this job, where there is one; no two threads take the same. */
export function takeOrder(
  words: Int32Array,
  job: Job,
  shard: number,
): Pick<Order, 'manner' | 'when'> | undefined {
  for (let i = 0; i < CAPACITY * FIELDS; i += FIELDS) {
    if (Atomics.load(words, i) <= 0 || words[i + 2] !== JOBS.indexOf(job)) continue;
    if (words[i + 4] >= 0 && words[i + 4] !== shard) continue;
    if (Atomics.sub(words, i + 5, 1) > 0) continue;
    if (Atomics.sub(words, i, 1) <= 0) continue;
    return { manner: MANNERS[words[i + 1]], when: MOMENTS[words[i + 3]] };
  }
  return undefined;
}
