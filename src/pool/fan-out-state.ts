/**
 * The state of the pool's machine: who has which share, and what has become of it. The machine in fan-out.ts makes one of another. Pure.
 */

/** A share that took this many threads down would take more; so would a thread that dies before it has loaded. */
export const MAX_DEATHS = 3;

/** The place of one thread; a new thread takes the place of the one that died. */
export interface Slot {
  /** `ending`: told to end, or seen to fail, but not ended. `lost`: no thread can be started any more. */
  readonly thread: 'loading' | 'idle' | 'busy' | 'ending' | 'lost';
  /** The share that the thread may be writing for. */
  readonly share: number | null;
  /** Its share of the round to come, which it may be writing for once it has replied to the other. */
  readonly ahead: number | null;
  readonly loaded: boolean;
  /** Threads in a row that ended before they had loaded. */
  readonly failedLoads: number;
}

export interface ShareState {
  /** `dropped`: its thread ended, and it is not given out again. */
  readonly state: 'waiting' | 'running' | 'done' | 'dropped';
  /** Threads that it took down. */
  readonly deaths: number;
}

/**
 * Why a round cannot be completed: a share failed by itself, took down too many threads, no thread can be started, or one
 * does not end and might write for ever.
 */
export type Failure =
  | { readonly kind: 'refused' | 'deadly'; readonly share: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'stuck'; readonly slot: number };

export interface FanOut {
  readonly slots: readonly Slot[];
  /** Of the round at hand. */
  readonly shares: readonly ShareState[];
  /** Threads wait for each other in the midst of these. */
  readonly together: boolean;
  /** Shares of the round to come, where they have been given out. */
  readonly ahead: readonly ShareState[];
  readonly failure: Failure | null;
}

/** Before any round: every thread is about to load. */
export function newFanOut(slots: number): FanOut {
  const slot: Slot = { thread: 'loading', share: null, ahead: null, loaded: false, failedLoads: 0 };
  return {
    slots: new Array<Slot>(slots).fill(slot),
    shares: [],
    together: false,
    ahead: [],
    failure: null,
  };
}

/** `running` until no thread can be writing any more, but for one that is stuck. */
export function outcomeOf({ slots, shares, failure }: FanOut): 'running' | 'done' | 'failed' {
  if (failure?.kind === 'stuck') return 'failed';
  if (slots.some(({ share }) => share !== null)) return 'running';
  if (failure) return hasAhead(slots) ? 'running' : 'failed';
  return shares.every(isOver) ? 'done' : 'running';
}

/** Whether a thread has a share of a round to come. */
export function hasAhead(slots: readonly Slot[]): boolean {
  return slots.some(({ ahead }) => ahead !== null);
}

/** Whether every thread can be given a share of the round to come: all are well, and do those of the round at hand together. */
export function canGiveAhead({ slots, shares, together, ahead, failure }: FanOut): boolean {
  const areWell = slots.every(({ thread }) => thread === 'busy' || thread === 'idle');
  const isWhole = shares.every(({ state }) => state !== 'dropped');
  return together && areWell && isWhole && !failure && ahead.length === 0;
}

/** Nobody is at it, and it is not given out again in this round. */
export function isOver({ state }: ShareState): boolean {
  return state === 'done' || state === 'dropped';
}
