/** A round of the pool: what is given out to its threads at once and joined again, by shares; when, and where and of what they failed. */
import { type FailurePlace, messageOf, TrainingError } from '../errors.ts';
import { monotonicSeconds } from './clock.ts';
import type { ComputeResult } from './compute-protocol.ts';
import { type Failure, MAX_DEATHS } from './fan-out-state.ts';
import { RECORDS } from './share-record.ts';
import { GATES, type GatedStage } from './stage-gates.ts';
import type { StagedMessage } from './stage-server.ts';
import type { PlacedTask, StagedWork } from './staged-work.ts';

/** What one thread is given at once: a task, or one of each stage, in order. */
export type Share = readonly PlacedTask[];

type Awaited = StagedMessage['awaited'];

/** Of a round that is given out ahead. */
interface Ahead {
  /** The end of the round before; not that round, which would keep the one before it, and so all that ever were. */
  awaited: Awaited;
  /** Stages that may be begun, and taken back, before the round is at hand. */
  revocable: number;
}

export class Round {
  readonly work: StagedWork;
  readonly shares: readonly Share[];
  /** Of a round in which threads pass from stage to stage by themselves: its number, counting all such rounds. */
  readonly ticket: number | undefined;
  readonly #ahead: Ahead | undefined;
  /** By share: when it was handed out last, and what it failed with last. */
  readonly #handedOut: number[] = [];
  readonly #causes: unknown[] = [];

  private constructor(work: StagedWork, shares: readonly Share[], ticket?: number, ahead?: Ahead) {
    this.work = work;
    this.shares = shares;
    this.ticket = ticket;
    this.#ahead = ahead;
  }

  /** Of tasks that each thread is given one of. */
  static of(work: StagedWork, tasks: readonly PlacedTask[]): Round {
    return new Round(
      work,
      tasks.map((task) => [task]),
    );
  }

  /** Of all stages at once. */
  static together(work: StagedWork, ticket: number): Round {
    return new Round(work, work.columns, ticket);
  }

  /**
   * The same, to be given out while the round before is under way: of its stages only the first `revocable` may be begun, and taken
   * back, before it is at hand.
   */
  static ahead(work: StagedWork, ticket: number, before: Round, revocable: number): Round {
    return new Round(work, work.columns, ticket, { awaited: before.#end, revocable });
  }

  /** Where its threads count, and keep how far they have come. */
  get gate(): number {
    return (this.ticket ?? 0) % GATES;
  }

  get record(): number {
    return (this.ticket ?? 0) % RECORDS;
  }

  get together(): boolean {
    return this.ticket !== undefined;
  }

  /** By share: threads that its task took down before. */
  get deaths(): number[] {
    return this.shares.map(([task]) => this.work.deathsOf(task));
  }

  /** What a thread is told of a share of several stages. */
  messages(share: number): StagedMessage[] {
    const { gate, record } = this;
    const { sizes } = this.work;
    return this.shares[share].map(({ stage, task }) => {
      const closes = stage === sizes.length - 1 ? sizes[stage] : undefined;
      return { task, stage: { gate, stage }, awaited: this.#awaited(stage), closes, record };
    });
  }

  /**
   * The stage at whose end the threads wait for the coordinator too, which arrives there when a round that was given ahead is at
   * hand; undefined where they wait for nobody but each other.
   */
  get hold(): GatedStage | undefined {
    const revocable = this.#ahead?.revocable ?? 0;
    const { gate, work } = this;
    return revocable > 0 && revocable < work.sizes.length
      ? { gate, stage: revocable - 1 }
      : undefined;
  }

  #awaited(stage: number): Awaited {
    return stage === 0 ? this.#ahead?.awaited : this.#endOf(stage - 1);
  }

  get #end(): Awaited {
    return this.#endOf(this.work.sizes.length - 1);
  }

  #endOf(stage: number): Awaited {
    const coordinators = stage === this.hold?.stage ? 1 : 0;
    return { gate: this.gate, stage, tasks: this.work.sizes[stage] + coordinators };
  }

  noteHandOut(share: number): void {
    this.#handedOut[share] = monotonicSeconds();
  }

  /** The first tasks of a share are done by that worker, with these results. */
  complete(share: number, results: readonly ComputeResult[], worker: number): void {
    const handedOut = this.#handedOut[share];
    for (const [i, result] of results.entries()) {
      this.work.complete(this.shares[share][i], result, { handedOut, worker });
    }
  }

  /** What the task that a share has come to failed with. */
  noteCause(share: number, cause: unknown): void {
    this.#causes[share] = cause;
  }

  /** The task that a share has come to; undefined where all of it is done. */
  taskAt(share: number): PlacedTask | undefined {
    return this.shares[share].find((task) => !this.work.isDone(task));
  }

  /** Where a task stands, as data and in words: `step 7, reduce of shard 2`. */
  describe(placed: PlacedTask): { place: FailurePlace; words: string } {
    const { task, index } = placed;
    const place = this.work.placeOf(placed);
    const shard = 'shard' in task ? task.shard : index;
    const step = place.step === undefined ? '' : `step ${place.step}, `;
    return {
      place: { ...place, phase: task.kind, shard },
      words: `${step}${task.kind} of shard ${shard}`,
    };
  }

  failure(failure: Failure, lastCause: unknown): TrainingError {
    if (failure.kind === 'lost' || failure.kind === 'stuck') {
      const [missing] = this.work.missing;
      return threadFailure(failure.kind, lastCause, missing && this.work.placeOf(missing));
    }
    const { place, words } = this.describe(this.taskAt(failure.share)!);
    const cause = this.#causes[failure.share];
    const times = failure.kind === 'deadly' ? ` ${MAX_DEATHS} times` : '';
    const message = `A worker failed${times} at ${words}: ${messageOf(cause)}`;
    return new TrainingError(message, place, { cause });
  }
}

/** No thread can be started, or one does not end. */
export function threadFailure(
  kind: 'lost' | 'stuck',
  cause: unknown,
  place?: FailurePlace,
): TrainingError {
  const what =
    kind === 'lost'
      ? `No worker thread could be started in ${MAX_DEATHS} tries`
      : 'A worker thread failed and does not end';
  return new TrainingError(`${what}: ${messageOf(cause)}`, place, { cause });
}
