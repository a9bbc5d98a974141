/** The phases of a step in their order, and the rule that none follows an incomplete one. Pure. */

/** The weights of the next generation are packed in `update`; with `commit` the step has happened. */
export const STEP_PHASES = ['compute', 'reduce', 'clip', 'update', 'commit'] as const;
export type StepPhase = (typeof STEP_PHASES)[number];

export const FIRST_PHASE: StepPhase = STEP_PHASES[0];

/**
 * What follows a phase of so many tasks. Throws where a result is missing: the step must then not go on. A step that
 * fails in any phase has written nothing of the generation it began with, so it has not happened.
 */
export function phaseAfter(
  phase: StepPhase,
  tasks: number,
  results: readonly unknown[],
): StepPhase | 'committed' {
  const missing = Array.from({ length: tasks }, (_, task) => task).find((task) => !results[task]);
  if (missing !== undefined || results.length !== tasks) {
    throw new Error(`Expected ${tasks} results of ${phase}, got none of task ${missing ?? tasks}`);
  }
  return STEP_PHASES[STEP_PHASES.indexOf(phase) + 1] ?? 'committed';
}
