/** What becomes of the time of W workers: how much of it is the work of one, and what the rest is lost to. Pure. */
import { coordinationSeconds, type StepProfile } from './step-profile.ts';

/** An ordinary step of N streams on W workers. */
export interface ScalingPart {
  workers: number;
  streams: number;
  profile: StepProfile;
}

/**
 * Shares of W · step seconds. They add up to 1: `efficiency` is what the first measurement took for as many streams, each loss
 * what a part of the step takes beyond that. Below zero where a part takes less: a gain.
 */
export interface ScalingShares {
  efficiency: number;
  /** Workers without a task while the slowest of a phase still has one. */
  lostToImbalance: number;
  /** Reduce and update: what their tasks take. */
  lostToReduction: number;
  /** No worker has a task: fan-out and join, and what the coordinator does itself. */
  lostToCoordination: number;
  /** Forward and backward: the same work takes longer, for caches and memory that are shared. */
  lostToMemory: number;
}

export function sharesOf(part: ScalingPart, first: ScalingPart): ScalingShares {
  const all = part.workers * part.profile.seconds;
  const scale = part.streams / first.streams;
  const now = threadSeconds(part);
  const before = threadSeconds(first);
  const lost = (name: keyof typeof now) => (now[name] - scale * before[name]) / all;
  return {
    efficiency: (scale * first.workers * first.profile.seconds) / all,
    lostToImbalance: lost('imbalance'),
    lostToReduction: lost('reduction'),
    lostToCoordination: lost('coordination'),
    lostToMemory: lost('compute'),
  };
}

/** W · step seconds, in parts. */
function threadSeconds({ workers, profile }: ScalingPart) {
  const phases = Object.values(profile.tasks);
  const busy = phases.reduce((sum, { busySeconds }) => sum + busySeconds, 0);
  const slowest = phases.reduce((sum, { slowestSeconds }) => sum + slowestSeconds, 0);
  const compute = profile.tasks.compute?.busySeconds ?? 0;
  return {
    compute,
    reduction: busy - compute,
    imbalance: workers * slowest - busy,
    coordination: workers * coordinationSeconds(profile),
  };
}

/**
 * Streams of one worker in weak scaling: about `streams` for the most workers, but for the fewest no fewer than there are lanes,
 * which every measurement has as many of.
 */
export function streamsPerWorker(
  counts: readonly number[],
  streams: number,
  lanes: number,
): number {
  return Math.max(
    Math.round(streams / Math.max(...counts)),
    Math.ceil(lanes / Math.min(...counts)),
  );
}
