/**
 * Tasks in stages, none of which begins before all of the stage before it are done; and what came of each. Pure. Threads may be
 * given all their tasks at once, and wait for each other at a gate between the stages; where one dies the others stop there,
 * and what is missing is done stage by stage.
 */
import type { FailurePlace } from '../errors.ts';
import type { ComputeResult, ComputeTask } from './compute-protocol.ts';
import { MAX_STAGES } from './stage-gates.ts';

/** Tasks of which none begins before all of the stage before it are done; `place`: where they stand, in errors. */
export interface Stage {
  readonly tasks: readonly ComputeTask[];
  readonly place?: FailurePlace;
}

/** A task and its place: number `index` of its stage. */
export interface PlacedTask {
  readonly stage: number;
  readonly index: number;
  readonly task: ComputeTask;
}

/**
 * What came of a task, the number of the worker that did it, and how long it waited, once what it waits for was done and it had
 * been handed out, until its thread began it: also for the coordinator, where that held it.
 */
export interface TaskResult extends ComputeResult {
  waitSeconds: number;
  worker: number;
}

interface Outcome {
  readonly result: ComputeResult;
  readonly handedOut: number;
  readonly worker: number;
}

export class StagedWork {
  readonly #stages: readonly (readonly PlacedTask[])[];
  readonly #places: readonly FailurePlace[];
  /** By stage and task, where it is done. */
  readonly #outcomes: (Outcome | undefined)[][];
  /** By stage and task: threads that it took down while they had others of this work to do. */
  readonly #deaths: number[][];

  /** Throws Error on too many stages, and on one without a task: what waits for it would begin too early. */
  constructor(stages: readonly Stage[]) {
    if (stages.length > MAX_STAGES) throw new Error(`Expected at most ${MAX_STAGES} stages`);
    if (stages.length > 1 && stages.some(({ tasks }) => tasks.length === 0)) {
      throw new Error('Expected a task in each stage');
    }
    this.#stages = stages.map(({ tasks }, stage) =>
      tasks.map((task, index) => ({ stage, index, task })),
    );
    this.#places = stages.map(({ place = {} }) => place);
    this.#outcomes = stages.map(() => []);
    this.#deaths = stages.map(() => []);
  }

  /** Tasks of each stage. */
  get sizes(): number[] {
    return this.#stages.map(({ length }) => length);
  }

  /** What each of as few threads as can do it is given at once: one task of each stage that has so many, in order. */
  get columns(): PlacedTask[][] {
    return Array.from({ length: Math.max(...this.sizes) }, (_, index) =>
      this.#stages.flatMap((tasks) => tasks[index] ?? []),
    );
  }

  placeOf({ stage }: PlacedTask): FailurePlace {
    return this.#places[stage];
  }

  /** Of the first stage that is not done: what is missing. Nothing once all is done, or once a stage halts what would follow. */
  get missing(): PlacedTask[] {
    for (const [stage, tasks] of this.#stages.entries()) {
      const missing = tasks.filter((task) => !this.isDone(task));
      if (missing.length > 0) return missing;
      if (this.#halts(stage)) return [];
    }
    return [];
  }

  isDone({ stage, index }: PlacedTask): boolean {
    return this.#outcomes[stage][index] !== undefined;
  }

  deathsOf({ stage, index }: PlacedTask): number {
    return this.#deaths[stage][index] ?? 0;
  }

  /** `handedOut`: when, on the clock of the results. */
  complete(
    { stage, index }: PlacedTask,
    result: ComputeResult,
    { handedOut, worker }: Pick<Outcome, 'handedOut' | 'worker'>,
  ): void {
    this.#outcomes[stage][index] = { result, handedOut, worker };
  }

  countDeath(task: PlacedTask): void {
    this.#deaths[task.stage][task.index] = this.deathsOf(task) + 1;
  }

  /** By stage and task, of the stages that are done; none could begin before `possible`. */
  results(possible = 0): TaskResult[][] {
    const done = this.#stages.findIndex((tasks) => !tasks.every((task) => this.isDone(task)));
    const outcomes = this.#outcomes.slice(0, done < 0 ? this.#stages.length : done);
    return (outcomes as Outcome[][]).map((ofStage) => {
      const results = ofStage.map(({ result, handedOut, worker }) => {
        const waitSeconds = result.startedSeconds - Math.max(handedOut, possible);
        return { waitSeconds, worker, ...result };
      });
      possible = endOf(results);
      return results;
    });
  }

  #halts(stage: number): boolean {
    return this.#outcomes[stage].some((outcome) => outcome?.result.halts);
  }
}

/** When the last of them was over; not before `earliest`. */
export function endOf(results: readonly ComputeResult[], earliest = 0): number {
  return Math.max(
    earliest,
    ...results.map(({ startedSeconds, seconds }) => startedSeconds + seconds),
  );
}
