/** How long each worker was busy between one line of timings and the next. */
import type { StepOutcome } from '../coordinator/coordinator.ts';
import { MAX_BUSY_SHARES } from '../live/points.ts';
import type { ComputePool } from '../pool/compute-pool.ts';

/** Of the first workers, as many as are shown. */
export class BusyMeter {
  readonly #pool: Pick<ComputePool, 'busySeconds'>;
  #total: readonly number[] = [];

  constructor(pool: Pick<ComputePool, 'busySeconds'>) {
    this.#pool = pool;
  }

  /** Seconds of each worker up to what was taken last. */
  get total(): readonly number[] {
    return this.#total;
  }

  /** Of all that the pool has done since what was taken last, to the microsecond. */
  take(): number[] {
    return this.#takeUpTo(this.#shown());
  }

  /** The same of one of steps that were given out at once, but for the last: the pool has done what belongs to those after it too. */
  takeOf({ tasks }: Pick<StepOutcome, 'tasks'>): number[] {
    const total = this.#shown().map((_, worker) => this.#total[worker] ?? 0);
    for (const { worker, seconds } of Object.values(tasks).flat()) {
      if (worker < total.length) total[worker] += seconds;
    }
    return this.#takeUpTo(total);
  }

  #shown(): readonly number[] {
    return this.#pool.busySeconds.slice(0, MAX_BUSY_SHARES);
  }

  #takeUpTo(total: readonly number[]): number[] {
    const before = this.#total;
    this.#total = total;
    return total.map(
      (seconds, worker) => Math.round(1e6 * (seconds - (before[worker] ?? 0))) / 1e6,
    );
  }
}
