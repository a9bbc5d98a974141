/**
 * The threads of the compute pool: hands out the shares of a round and joins them. What becomes of the threads goes to the machine in
 * fan-out.ts, which says what to do; a task whose thread dies is repeated once that thread has ended and so can write no more.
 */
import { availableParallelism } from 'node:os';
import { messageOf } from '../errors.ts';
import type { ComputeReply, ComputeThreadData } from './compute-protocol.ts';
import { ComputeThread } from './compute-thread.ts';
import { afterEvent, type Command, type FanOutEvent } from './fan-out.ts';
import { canGiveAhead, type FanOut, hasAhead, newFanOut } from './fan-out-state.ts';
import { type Round, threadFailure } from './round.ts';
import { PATIENCE_MILLISECONDS, StageGates } from './stage-gates.ts';
import { UnderWay } from './under-way.ts';

export interface PoolOptions {
  /** A task, or the loading of a thread, that takes longer is given up and its thread ended; 0: never. */
  limitSeconds?: number;
  /** One sentence for each thread that died. */
  onWarning?(message: string): void;
}

export interface PoolCounters {
  /** Threads that died. */
  restarts: number;
  /** Tasks that were run again because of it. */
  repeatedTasks: number;
}

export class Crew {
  readonly counters: PoolCounters = { restarts: 0, repeatedTasks: 0 };
  readonly #data: ComputeThreadData;
  readonly #options: PoolOptions;
  readonly #gates: StageGates;
  readonly #threads: ComputeThread[] = [];
  #state: FanOut;
  readonly #underWay: UnderWay;
  /** Called once no thread has a task that was given ahead. */
  #whenBack: (() => void) | undefined;
  /** Called once no thread is loading, or one that loads is stuck. */
  #whenLoaded: (() => void) | undefined;
  /** What the last thread died of. */
  #lastCause: unknown;
  #hasLoaded = false;
  #closed = false;

  /** Starts `workers` threads. */
  constructor(data: ComputeThreadData, workers: number, options: PoolOptions) {
    this.#data = data;
    this.#options = options;
    this.#gates = new StageGates(workers <= availableParallelism() ? PATIENCE_MILLISECONDS : 0);
    this.#state = newFanOut(workers);
    this.#underWay = new UnderWay(workers);
    for (let slot = 0; slot < workers; slot++) this.#start(slot);
  }

  /** Waits until each thread has loaded. Throws TrainingError where one cannot. */
  async load(): Promise<void> {
    // Each thread has its limit for loading, and MAX_DEATHS tries.
    await new Promise<void>((resolve) => {
      this.#whenLoaded = resolve;
    });
    this.#hasLoaded = this.allIdle;
    if (this.#hasLoaded) return;
    await this.close();
    const { kind } = this.#state.failure ?? {};
    throw threadFailure(kind === 'stuck' ? kind : 'lost', this.#lastCause);
  }

  get size(): number {
    return this.#state.slots.length;
  }

  /** Of the threads alive. */
  get threadIds(): number[] {
    const { slots } = this.#state;
    return this.#threads.filter((_, i) => slots[i].thread !== 'lost').map(({ id }) => id);
  }

  get allIdle(): boolean {
    return this.#state.slots.every(({ thread }) => thread === 'idle');
  }

  /** Spent in tasks by each worker; a new thread takes the place of the one that died. */
  get busySeconds(): readonly number[] {
    return this.#underWay.busySeconds;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether a round can be given out while another is under way. */
  get canGiveAhead(): boolean {
    return this.#underWay.round !== undefined && canGiveAhead(this.#state);
  }

  /**
   * Hands out the shares, and waits until they are done or, where threads work together, dropped. Rejects with TrainingError where a
   * task failed by itself or took down MAX_DEATHS threads, or where a thread is stuck. One round at a time.
   */
  fanOut(round: Round): Promise<void> {
    if (round.together) this.#gates.reset(round.gate);
    const { deaths, together } = round;
    return this.#join(() => this.#underWay.begin(round), { kind: 'begin', deaths, together });
  }

  /**
   * Gives the shares of a round to come to threads that are at work; see `canGiveAhead`. They begin when the round at hand is over, as
   * far as they may be taken back.
   */
  giveAhead(round: Round): void {
    this.#gates.reset(round.gate);
    this.#underWay.ahead = round;
    this.#happen({ kind: 'giveAhead', shares: round.shares.length });
  }

  /** What was given ahead is the round at hand; the one before must be over. As `fanOut`. */
  advance(): Promise<void> {
    const { hold } = this.#underWay.ahead!;
    const over = this.#join(() => this.#underWay.advance(), { kind: 'advance' });
    if (hold) this.#gates.arrive(hold);
    return over;
  }

  /** Takes back what was given ahead: what of it has begun is finished, and forgotten. */
  async withdraw(): Promise<void> {
    this.#recall();
    this.#look();
    // Each thread stops at its next stage, and each task has its thread's limit.
    const back = new Promise<void>((resolve) => {
      this.#whenBack = resolve;
    });
    this.#tellBack();
    await back;
    this.#underWay.forgetAhead();
    this.#happen({ kind: 'forget' });
  }

  /** Ends all threads, and what is under way. Waits no longer than for a thread that is stuck. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#underWay.reject(closedError());
    this.#whenBack?.();
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** Waits for what `begin` begins. */
  #join(begin: () => Promise<void>, event: FanOutEvent): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    // Each task has the limit of its thread (compute-thread.ts), and MAX_DEATHS tries; `close` rejects what is left.
    const over = begin();
    this.#happen(event);
    return over;
  }

  #happen(event: FanOutEvent): void {
    if (this.#closed) return;
    const { state, commands } = afterEvent(this.#state, event);
    this.#state = state;
    for (const command of commands) this.#obey(command);
    const starting = state.slots.some(({ thread }) => thread === 'loading' || thread === 'ending');
    if (state.failure || !starting) this.#whenLoaded?.();
    this.#tellBack();
    this.#underWay.settle(state, this.#lastCause);
    // Whoever was to tell of others may have gone.
    if (commands.some(({ kind }) => kind === 'recall')) this.#look();
  }

  /** Takes notice of all that is done, or of what is up to the shares in `record`. */
  #look(record?: number): void {
    for (const thread of this.#threads) thread.look(record);
  }

  #tellBack(): void {
    const { slots, failure } = this.#state;
    // One that is stuck gives nothing back.
    if (failure?.kind === 'stuck' || !hasAhead(slots)) this.#whenBack?.();
  }

  #obey(command: Command): void {
    if (command.kind === 'recall') this.#recall();
    else if (command.kind === 'start') this.#start(command.slot);
    else if (command.kind === 'end') this.#threads[command.slot].end();
    else this.#handOut(command);
  }

  #recall(): void {
    // Else one that has waited as long as the thread it waited for hung, and waits no more, would look as if it hung too.
    for (const thread of this.#threads) thread.grantTime();
    this.#gates.recall();
  }

  #handOut({ slot, share, ahead }: Extract<Command, { kind: 'run' }>): void {
    const round = (ahead ? this.#underWay.ahead : this.#underWay.round)!;
    if (!ahead && this.#state.shares[share].deaths > 0) this.counters.repeatedTasks++;
    round.noteHandOut(share);
    if (round.together) this.#threads[slot].runStages(round.messages(share));
    else this.#threads[slot].run(round.shares[share][0].task);
  }

  #start(slot: number): void {
    const { limitSeconds = 0 } = this.#options;
    const tell = (kind: 'ready' | 'broken') => () => this.#happen({ kind, slot });
    this.#threads[slot] = new ComputeThread(this.#data, this.#gates, limitSeconds, {
      ready: tell('ready'),
      broken: tell('broken'),
      replied: (reply) => this.#take(slot, reply),
      over: (record) => this.#look(record),
      ended: (cause) => this.#lose(slot, cause),
      refused: (cause) => this.#goWithout(slot, cause),
      stuck: (cause) => {
        this.#lastCause = cause;
        // It can begin nothing more: what it has done counts.
        this.#underWay.lose(slot, this.#state.slots[slot], cause, this.#threads[slot]);
        this.#happen({ kind: 'stuck', slot });
      },
    });
  }

  #take(slot: number, reply: ComputeReply): void {
    const known = this.#underWay.take(slot, this.#state.slots[slot], reply, this.#threads[slot]);
    if (known) this.#happen({ kind: 'error' in reply ? 'refused' : 'done', slot });
  }

  #lose(slot: number, cause: Error): void {
    if (this.#closed) return;
    this.counters.restarts++;
    this.#lastCause = cause;
    const held = this.#state.slots[slot];
    const lost = this.#underWay.lose(slot, held, cause, this.#threads[slot]);
    const when = lost ? `at ${lost}` : held.loaded ? 'between two tasks' : 'while it loaded';
    const next = lost ? 'Its task is done again' : 'Another takes its place';
    this.#options.onWarning?.(`A worker thread died ${when}: ${messageOf(cause)}. ${next}.`);
    this.#happen({ kind: 'ended', slot });
  }

  /** To the machine its thread has ended while it loaded. Until all have loaded, `load` tells of it. */
  #goWithout(slot: number, cause: Error): void {
    this.#lastCause = cause;
    this.#happen({ kind: 'ended', slot });
    if (!this.#hasLoaded || this.#state.slots[slot].thread !== 'lost') return;
    this.#options.onWarning?.(`No thread takes the place of one that died: ${messageOf(cause)}.`);
  }
}

function closedError(): Error {
  return new Error('The compute pool was closed');
}
