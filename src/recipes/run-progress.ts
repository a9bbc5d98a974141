/** Where a run stands, and what follows from that: its epoch, its learning rate, what is due. */
import type { Config } from '../config/config.ts';
import { learningRate } from '../optimizer/schedule.ts';
import { BestCheckpoint } from './best-checkpoint.ts';
import type { Progress } from './restore.ts';
import type { RunShape } from './run-plan.ts';

export class RunProgress {
  /** Steps done; the chunk, the epoch and the tokens follow from it. */
  step: number;
  lastLoss: number | null;
  lastEvalLoss: number | null;
  /** The lowest of the run, whether or not its checkpoint could be written. */
  bestLoss: number | null;
  readonly bestCheckpoint: BestCheckpoint;
  evaluatedStep: number | null;
  sampledStep: number | null;
  /** Step of the newest checkpoint, written or being written; −1 for none. */
  savedStep: number;
  newestCheckpoint: string | null;
  /** Trained to the end and validated. */
  complete: boolean;
  readonly #config: Config;
  readonly #shape: RunShape;
  readonly #secondsBefore: number;
  readonly #started = performance.now();

  constructor(config: Config, shape: RunShape, before: Progress) {
    this.#config = config;
    this.#shape = shape;
    this.#secondsBefore = before.elapsedSeconds;
    this.step = before.step;
    this.lastLoss = before.lastLoss;
    this.lastEvalLoss = before.lastEvalLoss;
    this.bestLoss = before.bestLoss;
    this.bestCheckpoint = new BestCheckpoint(before.savedBestLoss);
    this.evaluatedStep = before.evaluatedStep;
    this.sampledStep = before.sampledStep;
    this.savedStep = before.checkpoint === null ? -1 : before.step;
    this.newestCheckpoint = before.checkpoint;
    this.complete = before.finished && this.finished;
  }

  /** Numbers of the chunks of all steps to come. */
  *chunksToCome(): Generator<number> {
    const { totalSteps } = this.#shape;
    for (let step = this.step; step < totalSteps; step++) yield this.chunkOf(step);
  }

  /** The step's chunk within its epoch. */
  chunkOf(step: number): number {
    return step % this.#shape.training.chunks;
  }

  /** From 1; the epoch that the last step belongs to. */
  get epoch(): number {
    return Math.max(1, Math.ceil(this.step / this.#shape.training.chunks));
  }

  /** Tokens of so many steps. */
  tokensOf(steps: number): number {
    return steps * this.#config.batch * this.#config.chunk;
  }

  get tokens(): number {
    return this.tokensOf(this.step);
  }

  /** Of the step after so many. */
  learningRateAfter(steps: number): number {
    return learningRate(this.#config, steps, this.#shape.horizon, this.#timeShare);
  }

  get finished(): boolean {
    return this.step >= this.#shape.totalSteps || this.#timeShare >= 1;
  }

  get evaluationDue(): boolean {
    return this.step % this.#evaluationEvery === 0;
  }

  get sampleDue(): boolean {
    return isDue(this.step, this.#config.sampleEvery) && this.step > (this.sampledStep ?? 0);
  }

  get checkpointDue(): boolean {
    const { checkpointEvery } = this.#config;
    return isDue(this.step, checkpointEvery) && this.savedStep !== this.step;
  }

  /** Before the next step. */
  get somethingDue(): boolean {
    return this.sampleDue || this.evaluationDue || this.checkpointDue;
  }

  /** Whether the step of that number, or the start, is followed by a step at once: it is not the last, and nothing is due after it. */
  isFollowed(step: number): boolean {
    const { sampleEvery, checkpointEvery, gradientsEvery } = this.#config;
    const intervals = [this.#evaluationEvery, sampleEvery, checkpointEvery, gradientsEvery];
    return step < this.#shape.totalSteps && !intervals.some((every) => isDue(step, every));
  }

  /** Steps that follow one another at once, from the one after so many; `most` at most. */
  stepsAtOnce(after: number, most: number): number {
    let count = 1;
    while (count < most && this.isFollowed(after + count)) count++;
    return count;
  }

  /** Notes the loss of a validation; none where it is not finite. Returns whether it is the lowest of the run. */
  evaluated(loss: number): boolean {
    const found = Number.isFinite(loss) ? loss : null;
    const best = found !== null && (this.bestLoss === null || found < this.bestLoss);
    this.evaluatedStep = this.step;
    this.lastEvalLoss = found;
    if (best) this.bestLoss = loss;
    // No checkpoint of the untrained model becomes the best, nor does one of a model that is worse.
    if (best && this.step === 0) this.bestCheckpoint.written(loss);
    return best;
  }

  /** Loss of the model as it is, where it has been validated and is better than the best checkpoint; else null. */
  get unsavedBestLoss(): number | null {
    const loss = this.evaluatedStep === this.step ? this.lastEvalLoss : null;
    return loss !== null && this.bestCheckpoint.isBeatenBy(loss) ? loss : null;
  }

  /** Until the last step or the time limit, at this rate. */
  secondsLeft(tokensPerSecond: number): number {
    const { maxMinutes } = this.#config;
    const bySteps = this.tokensOf(this.#shape.totalSteps - this.step) / tokensPerSecond;
    if (maxMinutes === undefined) return bySteps;
    return Math.max(0, Math.min(bySteps, 60 * maxMinutes - this.elapsedSeconds));
  }

  /** Over all processes of the run. */
  get elapsedSeconds(): number {
    return this.#secondsBefore + this.processSeconds;
  }

  get processSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Steps; an epoch unless told. */
  get #evaluationEvery(): number {
    return this.#config.evalEvery || this.#shape.training.chunks;
  }

  /** Of the run's limit; 0 where it has none. */
  get #timeShare(): number {
    const { maxMinutes } = this.#config;
    return maxMinutes ? this.elapsedSeconds / (60 * maxMinutes) : 0;
  }
}

/** Whether something that happens every so many steps happens after this one; never for 0. */
export function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}
