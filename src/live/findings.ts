/** What may be wrong with a run, each by a function that looks for it and says what it has found. Pure. */
import { formatNumber, formatShare } from '../numbers.ts';
import type { GradientsPoint, Point, RunState } from './protocol.ts';
import {
  explodingLayer,
  hasExplodingNorm,
  loadShare,
  meanStepSeconds,
  slowestStepSeconds,
  slowestWorker,
  stepsAboveLowestLoss,
  vanishingLayer,
} from './symptoms.ts';
import { THRESHOLDS } from './thresholds.ts';

/** What is known of a run. Times are Unix seconds. */
export interface Evidence {
  state: RunState['kind'];
  phases: readonly string[];
  points: readonly Point[];
  /** The latest. */
  gradients: GradientsPoint | undefined;
  /** The run failed because its gradient was not finite. */
  notFinite: boolean;
  /** Last step of this process, begin or end of a validation, or the start of its training. */
  lastProgress: number;
  isValidating: boolean;
  longestValidationSeconds: number;
  /** More workers than lanes: some have nothing to do in the longest phase. */
  hasIdleWorkers: boolean;
  /** When threads died and were replaced. */
  restarts: readonly number[];
  /** Last checkpoint written, or the start of training. */
  lastCheckpoint: number;
  /** Mean seconds between two checkpoints of this process; undefined where there have not been two. */
  checkpointSeconds: number | undefined;
  /** Since the last one that was written, and the first of them. */
  checkpointFailures: number;
  failingSince: number;
}

/** Evidence, and of its points the last ones, which count as now. */
export interface Look extends Evidence {
  recent: readonly Point[];
}

export interface Finding {
  /** It changes where something happens, never with time or with every step: each change of it is read out. */
  message: string;
  /** Where it is known better than by the first look. */
  since?: number;
}

export function noProgress(look: Look, now: number): Finding | undefined {
  const limit = progressLimit(look);
  if (now - look.lastProgress <= limit) return;
  return {
    message: `No step was done for more than ${Math.round(limit)} s.`,
    since: look.lastProgress,
  };
}

/** Seconds that may pass until a step is done, or a validation. */
function progressLimit({ points, recent, isValidating, longestValidationSeconds }: Look): number {
  const { noProgressSeconds, noProgressSteps, noProgressValidations } = THRESHOLDS;
  if (isValidating) {
    // Nothing tells how long the first one takes; a thread that hangs in it is replaced.
    if (longestValidationSeconds === 0) return Number.POSITIVE_INFINITY;
    return Math.max(noProgressSeconds, noProgressValidations * longestValidationSeconds);
  }
  if (points.length === 0) return THRESHOLDS.noFirstStepSeconds;
  const seconds = recent.length > 0 ? meanStepSeconds(recent) : slowestStepSeconds(points);
  return Math.max(noProgressSeconds, noProgressSteps * seconds);
}

export function notFinite({ notFinite: failed, points }: Evidence): Finding | undefined {
  const last = points[points.length - 1];
  if (failed) return { message: `The gradient after step ${last?.step ?? 0} was not finite.` };
  if (!last || (last.loss !== null && last.gradNorm !== null)) return;
  return { message: `The loss or the gradient of step ${last.step} is not finite.` };
}

export function diverging({ points }: Evidence): Finding | undefined {
  const { steps, bound, lowest } = stepsAboveLowestLoss(points);
  const { divergingSteps } = THRESHOLDS;
  if (steps < divergingSteps) return;
  return {
    message: `The smoothed loss has been above ${bound.toFixed(2)} nats for at least ${divergingSteps} steps, after a lowest of ${lowest.toFixed(2)}.`,
  };
}

export function vanishing({ gradients }: Evidence): Finding | undefined {
  const found = vanishingLayer(gradients);
  if (!found) return;
  return {
    message: `In layer ${found.layer} the gradient at its faintest lag is less than ${formatNumber(THRESHOLDS.vanishingRatio)} of that at lag 0.`,
  };
}

export function exploding({ points, recent, gradients }: Look): Finding | undefined {
  const { explodingNormRatio, explodingLagRatio } = THRESHOLDS;
  if (hasExplodingNorm(points, recent)) {
    return { message: `A gradient norm was more than ${explodingNormRatio} times the median.` };
  }
  const found = explodingLayer(gradients);
  if (!found) return;
  const size =
    found.ratio === Number.POSITIVE_INFINITY
      ? 'not finite'
      : `more than ${explodingLagRatio} times that at lag 0`;
  return { message: `In layer ${found.layer} the gradient at lag ${found.lag} is ${size}.` };
}

export function straggler({ recent, hasIdleWorkers }: Look): Finding | undefined {
  const worker = hasIdleWorkers ? undefined : slowestWorker(recent);
  if (worker === undefined) return;
  return {
    message: `Worker ${worker} is busy more than ${THRESHOLDS.stragglerRatio} times as long as the median worker.`,
  };
}

export function restarting({ restarts }: Evidence, now: number): Finding | undefined {
  const recent = restarts.filter((time) => now - time < THRESHOLDS.restartSeconds);
  if (recent.length === 0) return;
  const threads = recent.length === 1 ? '1 thread' : `${recent.length} threads`;
  return {
    message: `${threads} died and had to be replaced within ${THRESHOLDS.restartSeconds / 60} minutes.`,
    since: recent[0],
  };
}

export function starving({ recent, phases }: Look): Finding | undefined {
  const limit = THRESHOLDS.loadShare;
  if (loadShare(recent, phases) <= limit) return;
  return { message: `More than ${formatShare(limit)} of a step is spent waiting for text.` };
}

export function stale(evidence: Evidence, now: number): Finding | undefined {
  const { lastCheckpoint } = evidence;
  const { staleSeconds, staleIntervals, unknownIntervalSeconds } = THRESHOLDS;
  const expected = evidence.checkpointSeconds ?? unknownIntervalSeconds;
  if (now - lastCheckpoint <= Math.max(staleSeconds, staleIntervals * expected)) return;
  return {
    message: `No checkpoint was written for more than ${staleSeconds / 60} minutes.`,
    since: lastCheckpoint,
  };
}

export function failing({
  checkpointFailures: failures,
  failingSince,
}: Evidence): Finding | undefined {
  if (failures === 0) return;
  const what = failures === 1 ? 'The last checkpoint' : `The last ${failures} checkpoints`;
  return { message: `${what} could not be written.`, since: failingSince };
}
