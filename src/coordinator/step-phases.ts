/** The phases of a step in their order, and how long each took. Pure. */
import type { TaskResult } from '../pool/staged-work.ts';

/**
 * Each thread clips as it updates, and packs the weights that it has updated; the coordinator clips once more to see whether the step
 * is finite. With `commit` the step has happened.
 */
export const STEP_PHASES = ['compute', 'reduce', 'clip', 'update', 'commit'] as const;
export type StepPhase = (typeof STEP_PHASES)[number];

/** The phases that are stages of the pool. */
export const TASK_PHASES = ['compute', 'reduce', 'update'] as const satisfies readonly StepPhase[];
export type TaskPhase = (typeof TASK_PHASES)[number];

export type TaskResults = Readonly<Record<TaskPhase, readonly TaskResult[]>>;

/**
 * Wall time of each phase, which add up to the whole step; `begun` and `committed` are on the clock of the results. A phase of tasks
 * lasts from the end of the one before to the end of its last task; `clip` is what the coordinator took for it.
 */
export function phaseSecondsOf(
  tasks: TaskResults,
  begun: number,
  clipSeconds: number,
  committed: number,
): Record<StepPhase, number> {
  const computed = endOf(tasks.compute);
  const reduced = endOf(tasks.reduce);
  const updated = endOf(tasks.update);
  return {
    compute: computed - begun,
    reduce: reduced - computed,
    clip: clipSeconds,
    update: updated - reduced,
    commit: committed - updated - clipSeconds,
  };
}

function endOf(results: readonly TaskResult[]): number {
  return Math.max(...results.map(({ startedSeconds, seconds }) => startedSeconds + seconds));
}
