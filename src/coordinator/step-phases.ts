/** The phases of a step in their order, and how long each took. Pure. */
import { endOf, type TaskResult } from '../pool/staged-work.ts';

/**
 * Each thread clips as it updates, and packs the weights that it has updated; the coordinator clips once more to see whether the step
 * is finite. With `commit` the step has happened.
 */
export const STEP_PHASES = ['compute', 'reduce', 'clip', 'update', 'commit'] as const;
export type StepPhase = (typeof STEP_PHASES)[number];

/** The phases that are stages of tasks. */
export type TaskPhase = 'compute' | 'reduce' | 'update';

export type TaskResults = Readonly<Record<TaskPhase, readonly TaskResult[]>>;

/** When a step began and was committed, on the clock of its results, and what the coordinator took to clip. */
export interface StepTimes {
  begun: number;
  clipSeconds: number;
  committed: number;
  /** The next step was given out before this one was committed: nobody waited for that. */
  overlapped: boolean;
}

/** Wall time of each phase: it lasts from the end of the one before to the end of its last task. */
export function phaseSecondsOf(
  tasks: TaskResults,
  { begun, clipSeconds, committed, overlapped }: StepTimes,
): Record<StepPhase, number> {
  const computed = endOf(tasks.compute);
  const reduced = endOf(tasks.reduce);
  const updated = endOf(tasks.update);
  return {
    compute: computed - begun,
    reduce: reduced - computed,
    clip: overlapped ? 0 : clipSeconds,
    update: updated - reduced,
    commit: overlapped ? 0 : committed - updated - clipSeconds,
  };
}
