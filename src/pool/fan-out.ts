/**
 * Who does which share of a round next, whatever becomes of the threads: the compute pool tells this machine what happened and
 * does what it says. Pure. What a share is made of stands in round.ts. It is given to one thread at a time, and to another only
 * once that thread has ended or answered; so no two threads write one range. Shown for few threads by exploring every order of
 * events: test/pool/fan-out.test.ts.
 */
import {
  type Failure,
  type FanOut,
  isOver,
  MAX_DEATHS,
  type ShareState,
  type Slot,
} from './fan-out-state.ts';

export type FanOutEvent =
  /**
   * A round begins, with a share for each number: of the threads that it took down before. The one before must be over. `together`:
   * threads wait for each other in the midst of their shares; every thread must be idle, and none has more than one.
   */
  | { readonly kind: 'begin'; readonly deaths: readonly number[]; readonly together: boolean }
  /** Shares of a round to come are given out, to one thread each; see `canGiveAhead`. */
  | { readonly kind: 'giveAhead'; readonly shares: number }
  /** The round at hand is over, and the one given out ahead is at hand. */
  | { readonly kind: 'advance' }
  /** Of what was given out ahead no thread has anything any more, and it is not to come. */
  | { readonly kind: 'forget' }
  /** A thread has loaded; has done its share; answered that the share failed by itself. */
  | { readonly kind: 'ready' | 'done' | 'refused'; readonly slot: number }
  /** A thread must end: it makes no progress, or has failed outside its share. */
  | { readonly kind: 'broken'; readonly slot: number }
  /** A thread has ended: it writes no more. */
  | { readonly kind: 'ended'; readonly slot: number }
  /** A thread that must end does not. */
  | { readonly kind: 'stuck'; readonly slot: number };

export type Command =
  | { readonly kind: 'run'; readonly slot: number; readonly share: number; readonly ahead: boolean }
  /** Let all go that wait for others: one of them will not come. */
  | { readonly kind: 'recall' }
  /** End the thread, whatever it does. */
  | { readonly kind: 'end'; readonly slot: number }
  /** Start a new thread in the slot. */
  | { readonly kind: 'start'; readonly slot: number };

export interface Transition {
  readonly state: FanOut;
  readonly commands: readonly Command[];
}

export function afterEvent(before: FanOut, event: FanOutEvent): Transition {
  // A thread that is stuck may write for ever: nothing is given out any more.
  if (before.failure?.kind === 'stuck') return { state: before, commands: [] };
  const draft: Draft = {
    slots: [...before.slots],
    shares: [...before.shares],
    together: before.together,
    ahead: [...before.ahead],
    failure: before.failure,
    commands: [],
  };
  if (event.kind === 'begin') begin(draft, event.deaths, event.together);
  else if (event.kind === 'giveAhead') giveAhead(draft, event.shares);
  else if (event.kind === 'advance') advance(draft);
  else if (event.kind === 'forget') draft.ahead = [];
  else happen(draft, event.slot, event.kind);
  if (!draft.failure && unfinished(draft) && draft.slots.every(({ thread }) => thread === 'lost')) {
    draft.failure = { kind: 'lost' };
  }
  giveOut(draft);
  const { commands, ...state } = draft;
  return { state, commands };
}

interface Draft {
  slots: Slot[];
  shares: ShareState[];
  together: boolean;
  ahead: ShareState[];
  failure: Failure | null;
  commands: Command[];
}

function begin(draft: Draft, deaths: readonly number[], together: boolean): void {
  draft.shares = deaths.map((before) => ({ state: 'waiting', deaths: before }));
  draft.together = together;
  draft.failure = null;
}

function giveAhead(draft: Draft, shares: number): void {
  draft.ahead = new Array<ShareState>(shares).fill({ state: 'running', deaths: 0 });
  for (const share of draft.ahead.keys()) {
    draft.slots[share] = { ...draft.slots[share], thread: 'busy', ahead: share };
    draft.commands.push({ kind: 'run', slot: share, share, ahead: true });
  }
}

function advance(draft: Draft): void {
  draft.shares = draft.ahead;
  draft.ahead = [];
  draft.together = true;
  draft.slots = draft.slots.map((slot) => ({ ...slot, share: slot.ahead, ahead: null }));
}

type Happening = Exclude<FanOutEvent['kind'], 'begin' | 'giveAhead' | 'advance' | 'forget'>;

function happen(draft: Draft, index: number, kind: Happening): void {
  const slot = draft.slots[index];
  const { thread } = slot;
  if (kind === 'ready') {
    if (thread === 'loading')
      draft.slots[index] = { ...slot, thread: 'idle', loaded: true, failedLoads: 0 };
  } else if (kind === 'done' || kind === 'refused') {
    reply(draft, index, kind);
  } else if (kind === 'broken') {
    if (thread === 'ending') return;
    draft.slots[index] = { ...slot, thread: 'ending' };
    draft.commands.push({ kind: 'end', slot: index });
    recall(draft);
  } else if (kind === 'stuck') {
    draft.failure = { kind, slot: index };
  } else {
    end(draft, index);
  }
}

/** To the share at hand or, where there is none, to that of the round to come. */
function reply(draft: Draft, index: number, kind: 'done' | 'refused'): void {
  const slot = draft.slots[index];
  const { share, ahead } = slot;
  // A thread that is told to end may answer first: then its share is done, and nothing need be repeated.
  const idle = slot.thread === 'busy' && (share === null || ahead === null);
  const thread = idle ? 'idle' : slot.thread;
  if (share === null) {
    draft.slots[index] = { ...slot, thread, ahead: null };
    // What fails ahead of its time is tried again when the round is at hand.
    if (ahead !== null) settle(draft.ahead, ahead, kind === 'done' ? 'done' : 'dropped');
    return;
  }
  draft.slots[index] = { ...slot, thread, share: null };
  draft.shares[share] = { ...draft.shares[share], state: 'done' };
  if (kind === 'done') return;
  draft.failure ??= { kind, share };
  recall(draft);
}

/** What the thread's end means for its shares and its slot. */
function end(draft: Draft, index: number): void {
  const { share, ahead, loaded, failedLoads: before } = draft.slots[index];
  if (ahead !== null) settle(draft.ahead, ahead, 'dropped');
  if (share !== null) {
    const deaths = draft.shares[share].deaths + 1;
    draft.shares[share] = { state: draft.together ? 'dropped' : 'waiting', deaths };
    if (deaths === MAX_DEATHS) draft.failure ??= { kind: 'deadly', share };
  }
  recall(draft);
  const failedLoads = loaded ? 0 : before + 1;
  const lost = failedLoads === MAX_DEATHS;
  const thread = lost ? 'lost' : 'loading';
  draft.slots[index] = { thread, share: null, ahead: null, loaded: false, failedLoads };
  if (!lost) draft.commands.push({ kind: 'start', slot: index });
}

/** Those who wait for the thread of a share that is dropped, or soon will be, wait in vain. */
function recall({ together, ahead, commands }: Draft): void {
  if (together || ahead.length > 0) commands.push({ kind: 'recall' });
}

function settle(shares: ShareState[], share: number, state: 'done' | 'dropped'): void {
  shares[share] = { ...shares[share], state };
}

/** Gives waiting shares to idle threads: share i to slot i where it can, whose caches may hold its data. */
function giveOut(draft: Draft): void {
  if (draft.failure) return;
  const give = (slot: number, share: number) => {
    draft.slots[slot] = { ...draft.slots[slot], thread: 'busy', share };
    draft.shares[share] = { ...draft.shares[share], state: 'running' };
    draft.commands.push({ kind: 'run', slot, share, ahead: false });
  };
  for (const [share, { state }] of draft.shares.entries()) {
    if (state === 'waiting' && draft.slots[share]?.thread === 'idle') give(share, share);
  }
  for (const [share, { state }] of draft.shares.entries()) {
    const slot = draft.slots.findIndex(({ thread }) => thread === 'idle');
    if (slot < 0) return;
    if (state === 'waiting') give(slot, share);
  }
}

function unfinished({ shares }: Draft): boolean {
  return !shares.every(isOver);
}
