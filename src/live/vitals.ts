/** When something last happened to a run, and what went wrong: what alerts are made from beside its curves. */
import type { PoolRecord } from '../metrics/records.ts';
import type { Evidence } from './findings.ts';

/** Restarts whose times are kept. */
const MAX_RESTARTS = 100;

/** Times are Unix seconds. */
export class Vitals {
  #notFinite = false;
  #lastProgress = 0;
  #isValidating = false;
  #longestValidationSeconds = 0;
  #restarts: readonly number[] = [];
  #restartCount = 0;
  #began = 0;
  #lastCheckpoint = 0;
  #checkpoints = 0;
  #checkpointFailures = 0;
  #failingSince = 0;

  begin(now: number): void {
    this.#lastProgress = now;
    this.#began = now;
    this.#lastCheckpoint = now;
  }

  progressed(now: number): void {
    this.#lastProgress = now;
  }

  validates(now: number): void {
    this.#isValidating = true;
    this.#lastProgress = now;
  }

  validated(seconds: number, now: number): void {
    this.#isValidating = false;
    this.#longestValidationSeconds = Math.max(this.#longestValidationSeconds, seconds);
    this.#lastProgress = now;
  }

  failedToBeFinite(): void {
    this.#notFinite = true;
  }

  countRestarts({ restarts, actorRestarts }: PoolRecord, now: number): void {
    const count = Object.values(actorRestarts).reduce((sum, each) => sum + each, restarts);
    for (; this.#restartCount < count; this.#restartCount++) {
      this.#restarts = [...this.#restarts, now].slice(-MAX_RESTARTS);
    }
  }

  checkpointWritten(now: number): void {
    this.#lastCheckpoint = now;
    this.#checkpoints++;
    this.#checkpointFailures = 0;
  }

  checkpointFailed(now: number): void {
    if (this.#checkpointFailures === 0) this.#failingSince = now;
    this.#checkpointFailures++;
  }

  toEvidence(): Pick<
    Evidence,
    | 'notFinite'
    | 'lastProgress'
    | 'isValidating'
    | 'longestValidationSeconds'
    | 'restarts'
    | 'lastCheckpoint'
    | 'checkpointSeconds'
    | 'checkpointFailures'
    | 'failingSince'
  > {
    return {
      notFinite: this.#notFinite,
      lastProgress: this.#lastProgress,
      isValidating: this.#isValidating,
      longestValidationSeconds: this.#longestValidationSeconds,
      restarts: this.#restarts,
      lastCheckpoint: this.#lastCheckpoint,
      checkpointSeconds:
        this.#checkpoints > 1
          ? (this.#lastCheckpoint - this.#began) / (this.#checkpoints - 1)
          : undefined,
      checkpointFailures: this.#checkpointFailures,
      failingSince: this.#failingSince,
    };
  }
}
