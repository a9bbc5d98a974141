/** Makes points of what is recorded of each step. Pure. */
import type { GradientsRecord, StepRecord } from '../metrics/records.ts';
import { MAX_BUSY_SHARES } from './points.ts';
import type { GradientsPoint, Point } from './protocol.ts';

export class PointMaker {
  readonly #phases: readonly string[];
  /** Busy seconds of each worker so far, and at the end of the last step that a point was made of. */
  #busy: readonly number[] = [];
  #busyBefore: readonly number[] = [];
  /** Seconds of what lies between two steps, by phase. */
  #between: Record<string, number> = {};

  /** `phases`: in the order of `phaseSeconds`. */
  constructor(phases: readonly string[]) {
    this.#phases = phases;
  }

  /** Totals of each worker: what they did after the last step counts with what came after it. */
  addBusy(seconds: readonly number[]): void {
    this.#busy = seconds.slice(0, MAX_BUSY_SHARES);
  }

  /** Time of a phase that no step has itself; it counts with the next one. */
  addPhase(phase: string, seconds: number): void {
    this.#between[phase] = (this.#between[phase] ?? 0) + seconds;
  }

  /** `time`: Unix time in seconds. */
  pointOf(record: StepRecord, time: number): Point {
    const seconds: Record<string, number> = { ...this.#between, ...record.phaseSeconds };
    const loss = finiteOrNull(record.loss);
    const gradNorm = finiteOrNull(record.gradNorm);
    this.addBusy(record.busySeconds);
    const busyShares = this.#busyShares(seconds);
    this.#between = {};
    this.#busyBefore = this.#busy;
    return {
      step: record.step,
      steps: 1,
      tokens: record.tokens,
      time,
      loss,
      lowestLoss: loss,
      highestLoss: loss,
      gradNorm,
      highestGradNorm: gradNorm,
      clippedShare: record.clipScale < 1 ? 1 : 0,
      learningRate: record.lr,
      tokensPerSecond: finiteOrNull(record.tokensPerSecond) ?? 0,
      phaseSeconds: this.#phases.map((phase) => seconds[phase] ?? 0),
      busyShares,
    };
  }

  /** The point of the last step with the time of what came after it; undefined where nothing has. */
  completed(point: Point): Point | undefined {
    const seconds = this.#phases.map((phase) => this.#between[phase] ?? 0);
    const [before, after] = [sum(point.phaseSeconds), sum(seconds)];
    if (after === 0) return;
    const shares = this.#busyShares(this.#between);
    const isKnown = shares.length === point.busyShares.length;
    this.#between = {};
    this.#busyBefore = this.#busy;
    return {
      ...point,
      phaseSeconds: seconds.map((value, i) => value + point.phaseSeconds[i]),
      busyShares: isKnown
        ? shares.map(
            (share, i) => (share * after + point.busyShares[i] * before) / (before + after),
          )
        : point.busyShares,
    };
  }

  /** Of the step and what lies before it: the totals count the tasks of a validation too. */
  #busyShares(phaseSeconds: Readonly<Record<string, number>>): number[] {
    const total = sum(Object.values(phaseSeconds));
    if (total === 0) return [];
    return this.#busy.map((seconds, worker) =>
      Math.max(0, Math.min(1, (seconds - (this.#busyBefore[worker] ?? 0)) / total)),
    );
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function gradientsPointOf({ step, layers }: GradientsRecord): GradientsPoint {
  return {
    step,
    layers: layers.map((layer) => ({
      ...layer,
      gradientNorm: finiteOrNull(layer.gradientNorm),
      updateRatio: finiteOrNull(layer.updateRatio),
      normByLag: layer.normByLag?.map(({ lag, norm }) => ({ lag, norm: finiteOrNull(norm) })),
    })),
  };
}

/** What JSON has no number for. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
