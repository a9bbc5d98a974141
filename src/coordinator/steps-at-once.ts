/** How many steps are given out at once. Pure. */
import { MAX_STEPS_AT_ONCE } from './step-tasks.ts';

/**
 * What they take together, about: the coordinator is woken once for all, and they are told of as late. To be woken takes a core
 * from the pool for 0.2 ms, which is much beside a step of 5 ms and nothing beside this.
 */
const TOGETHER_SECONDS = 0.04;

/** Where a step takes `stepSeconds`, at least one. */
export function stepsAtOnce(stepSeconds: number): number {
  return Math.max(1, Math.min(MAX_STEPS_AT_ONCE, Math.floor(TOGETHER_SECONDS / stepSeconds)));
}
