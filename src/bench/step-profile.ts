/** Where the time of an ordinary step goes, phase by phase. Pure. */
import type { StepPhase } from '../coordinator/step-phases.ts';

/** A step: all its seconds, and in each phase with tasks what they took together and what the slowest took. */
export interface StepProfile {
  seconds: number;
  tasks: Partial<Record<StepPhase, { busySeconds: number; slowestSeconds: number }>>;
}

/** Seconds of a step in which no worker has a task: fan-out and join, and what the coordinator does itself. */
export function coordinationSeconds({ seconds, tasks }: StepProfile): number {
  const slowest = Object.values(tasks).map(({ slowestSeconds }) => slowestSeconds);
  return seconds - slowest.reduce((sum, each) => sum + each, 0);
}

/** One step as it was timed: its seconds, and those of the tasks of each phase. */
export interface TimedTasks {
  seconds: number;
  tasks: Partial<Record<StepPhase, readonly { seconds: number }[]>>;
}

/** Seconds of one of steps that were given out at once: the coordinator is woken once for all, and that belongs to each. */
export function meanSeconds(atOnce: readonly TimedTasks[]): number {
  return atOnce.reduce((sum, { seconds }) => sum + seconds, 0) / atOnce.length;
}

/**
 * The mean of the middle half of the steps by their duration, those that were given out at once together, every figure over the same
 * steps: so parts add up to the whole, as medians do not, and a step that the machine held up does not count, as it does in the
 * mean of all.
 */
export function profileOf(batches: readonly (readonly TimedTasks[])[]): StepProfile {
  const cut = Math.floor(batches.length / 4);
  const middle = [...batches]
    .sort((a, b) => meanSeconds(a) - meanSeconds(b))
    .slice(cut, batches.length - cut)
    .flat();
  const mean = (figure: (step: TimedTasks) => number) =>
    middle.reduce((sum, step) => sum + figure(step), 0) / middle.length;
  const phases = Object.keys(middle[0].tasks) as StepPhase[];
  const tasks = phases.map((phase) => {
    const times = (step: TimedTasks) => (step.tasks[phase] ?? []).map(({ seconds }) => seconds);
    const busySeconds = mean((step) => times(step).reduce((sum, seconds) => sum + seconds, 0));
    return [phase, { busySeconds, slowestSeconds: mean((step) => Math.max(0, ...times(step))) }];
  });
  return { seconds: mean(({ seconds }) => seconds), tasks: Object.fromEntries(tasks) };
}
