/** What the steps of a run were: counted for all, shown of the last. */
import { type CoordinationMetrics, setTotal } from './coordination-metrics.ts';
import type { Instruments } from './definitions.ts';
import type { RunRecord, StepRecord } from './records.ts';

/** Most steps that are counted together. */
const MAX_UNCOUNTED = 64;

export class StepMetrics {
  readonly #instruments: Instruments;
  readonly #coordination: CoordinationMetrics;
  #flopsPerToken = 0;
  #peakFlops: number | undefined;
  /** Steps that no instrument knows yet. */
  #uncounted: StepRecord[] = [];

  constructor(instruments: Instruments, coordination: CoordinationMetrics) {
    this.#instruments = instruments;
    this.#coordination = coordination;
  }

  begin({ flopsPerToken, peakFlops }: Pick<RunRecord, 'flopsPerToken' | 'peakFlops'>): void {
    this.#flopsPerToken = flopsPerToken;
    this.#peakFlops = peakFlops;
  }

  /** Counted by `count`, or with many others: a step alone, on cold caches, takes a core for several times as long. */
  add(record: StepRecord): void {
    this.#uncounted.push(record);
    if (this.#uncounted.length >= MAX_UNCOUNTED) this.count();
  }

  /** Brings the instruments up to date. */
  count(): void {
    const steps = this.#uncounted;
    this.#uncounted = [];
    for (const step of steps) this.#countStep(step);
    const newest = steps.at(-1);
    if (newest) this.#showStep(newest);
  }

  #countStep(record: StepRecord): void {
    const instruments = this.#instruments;
    instruments.steps.inc();
    instruments.tokens.inc(record.stepTokens);
    if (record.clipScale < 1) instruments.clippedSteps.inc();
    instruments.flops.inc(record.stepTokens * this.#flopsPerToken);
    this.#coordination.recordStep(record);
  }

  #showStep(record: StepRecord): void {
    const instruments = this.#instruments;
    const { loss, gradNorm, tokensPerSecond } = record;
    instruments.step.set(record.step);
    instruments.epoch.set(record.epoch);
    instruments.trainLoss.set(loss);
    instruments.trainBits.set(loss / Math.LN2);
    instruments.trainPerplexity.set(Math.exp(loss));
    instruments.gradientNorm.set(gradNorm);
    instruments.clippedGradientNorm.set(gradNorm * record.clipScale);
    instruments.learningRate.set(record.lr);
    instruments.tokensPerSecond.set(tokensPerSecond);
    instruments.secondsLeft.set(record.secondsLeft);
    if (this.#peakFlops) {
      instruments.peakShare.set((tokensPerSecond * this.#flopsPerToken) / this.#peakFlops);
    }
    instruments.ringFilled.set(record.ringFilled);
    setTotal(instruments.bytesRead, record.bytesRead);
  }
}
