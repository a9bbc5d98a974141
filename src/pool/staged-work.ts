/**
 * Tasks in stages, none of which begins before all of the stage before it are done; and what came of each. Pure. Threads may be
 * given all their tasks at once, and wait for each other at a gate between the stages; where one dies the others stop there,
 * and what is missing is done stage by stage.
 */
import type { ComputeResult, ComputeTask } from './compute-protocol.ts';
import { MAX_STAGES } from './stage-gates.ts';

/** A task and its place: number `index` of its stage. */
export interface PlacedTask {
  readonly stage: number;
  readonly index: number;
  readonly task: ComputeTask;
}

/** What came of a task, and how long it waited, once it could begin and had been handed out, until its thread began it. */
export interface TaskResult extends ComputeResult {
  waitSeconds: number;
}

interface Outcome {
  readonly result: ComputeResult;
  readonly handedOut: number;
}

export class StagedWork {
  readonly #stages: readonly (readonly PlacedTask[])[];
  /** By stage and task, where it is done. */
  readonly #outcomes: (Outcome | undefined)[][];
  /** By stage and task: threads that it took down while they had others of this work to do. */
  readonly #deaths: number[][];

  /** Throws Error on too many stages, and on one without a task: what waits for it would begin too early. */
  constructor(stages: readonly (readonly ComputeTask[])[]) {
    if (stages.length > MAX_STAGES) throw new Error(`Expected at most ${MAX_STAGES} stages`);
    if (stages.length > 1 && stages.some(({ length }) => length === 0)) {
      throw new Error('Expected a task in each stage');
    }
    this.#stages = stages.map((tasks, stage) =>
      tasks.map((task, index) => ({ stage, index, task })),
    );
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

  /** Of a stage: what is not done. */
  missing(stage: number): PlacedTask[] {
    return this.#stages[stage].filter((task) => !this.isDone(task));
  }

  isDone({ stage, index }: PlacedTask): boolean {
    return this.#outcomes[stage][index] !== undefined;
  }

  deathsOf({ stage, index }: PlacedTask): number {
    return this.#deaths[stage][index] ?? 0;
  }

  /** `handedOut`: when, on the clock of the results. */
  complete({ stage, index }: PlacedTask, result: ComputeResult, handedOut: number): void {
    this.#outcomes[stage][index] = { result, handedOut };
  }

  countDeath(task: PlacedTask): void {
    this.#deaths[task.stage][task.index] = this.deathsOf(task) + 1;
  }

  /**
   * By stage and task, once all are done; none could begin before `possible`. Throws Error where one is missing: what builds on it
   * must not go on.
   */
  results(possible = 0): TaskResult[][] {
    return this.#stages.map((tasks, stage) => {
      const outcomes = tasks.map(({ index }) => this.#outcome(stage, index));
      const results = outcomes.map(({ result, handedOut }) => {
        const waitSeconds = result.startedSeconds - Math.max(handedOut, possible);
        return { waitSeconds, ...result };
      });
      possible = endOf(results);
      return results;
    });
  }

  #outcome(stage: number, index: number): Outcome {
    const outcome = this.#outcomes[stage][index];
    if (!outcome) throw new Error(`Expected a result of task ${index} of stage ${stage}, got none`);
    return outcome;
  }
}

/** When the last of them was over. */
export function endOf(results: readonly ComputeResult[]): number {
  return Math.max(...results.map(({ startedSeconds, seconds }) => startedSeconds + seconds));
}
