/** Which steps are asked of the coordinator next: those at hand, and those that are given out ahead of their time. */

import type { ChunkFeed, Placed } from '../coordinator/feed.ts';
import type { StepRequest } from '../coordinator/step-tasks.ts';
import { stepsAtOnce } from '../coordinator/steps-at-once.ts';
import type { RunProgress } from './run-progress.ts';

export class StepRequests {
  /** What the last step took: as many short ones go out at once as take a moment. */
  stepSeconds = Number.POSITIVE_INFINITY;
  readonly #progress: RunProgress;
  readonly #clipNorm: number;
  readonly #mostAtOnce: number;
  /** Given out ahead. */
  #upcoming: StepRequest[] = [];

  constructor(progress: RunProgress, clipNorm: number, mostAtOnce: number) {
    this.#progress = progress;
    this.#clipNorm = clipNorm;
    this.#mostAtOnce = mostAtOnce;
  }

  /** Chunks that the next steps take, at most; exactly so many where they were given out ahead. */
  get wanted(): number {
    return this.#upcoming.length || this.#atOnce(this.#progress.step);
  }

  /** The steps of these chunks, which are the next ones: the very objects that were given out ahead, where some were. */
  of(chunks: readonly Placed<number>[]): StepRequest[] {
    return this.#upcoming.length > 0
      ? this.#upcoming
      : this.#requestsOf(chunks, this.#progress.step);
  }

  /** What is given out ahead while `underWay` steps are computed: those that follow at once and whose chunks are ready. */
  ahead(underWay: number, feed: ChunkFeed<number>): StepRequest[] {
    const steps = this.#progress.step + underWay;
    const chunks = this.#progress.isFollowed(steps) ? feed.ready(this.#atOnce(steps)) : [];
    this.#upcoming = this.#requestsOf(chunks, steps);
    return this.#upcoming;
  }

  /** Steps, from the one after so many, that may go out at once. */
  #atOnce(steps: number): number {
    const most = Math.min(this.#mostAtOnce, stepsAtOnce(this.stepSeconds));
    return this.#progress.stepsAtOnce(steps, most);
  }

  #requestsOf(chunks: readonly Placed<number>[], steps: number): StepRequest[] {
    return chunks.map(({ chunk, slot }, i) => ({
      slot,
      fromZero: chunk === 0,
      learningRate: this.#progress.learningRateAfter(steps + i),
      clipNorm: this.#clipNorm,
    }));
  }
}
