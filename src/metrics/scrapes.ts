/** Notices that somebody reads the metrics at regular intervals, as Prometheus does, and waits for the next time. */
import { setTimeout as delay } from 'node:timers/promises';

/** A longer interval, by more than is tolerated, is not waited for. */
const LONGEST_SECONDS = 20;
/** Intervals that differ by more are those of a person, or of several programs. The seconds: a busy machine's. */
const TOLERANCE_SHARE = 0.2;
const TOLERANCE_SECONDS = 1;

export class Scrapes {
  readonly #now: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #interval = Number.POSITIVE_INFINITY;
  #isRegular = false;
  /** Aborted by the next scrape that begins from now on. */
  #next: AbortController | undefined;

  /** `now`: seconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** The metrics are asked for. Returns what to call once they were read. */
  begin(): () => void {
    const next = this.#next;
    return () => {
      const now = this.#now();
      const interval = now - this.#last;
      this.#isRegular = Math.abs(interval - this.#interval) <= toleranceOf(interval);
      this.#interval = interval;
      this.#last = now;
      next?.abort();
    };
  }

  /** In which the next one comes; 0 where none is to be expected. */
  get secondsToNext(): number {
    if (!this.#isRegular || this.#interval > LONGEST_SECONDS + TOLERANCE_SECONDS) return 0;
    const due = this.#last + this.#interval + toleranceOf(this.#interval);
    return Math.max(0, due - this.#now());
  }

  /** Resolves with the next one that begins, or when it is overdue. Keeps the thread alive. */
  async next(): Promise<void> {
    const seconds = this.secondsToNext;
    if (seconds === 0) return;
    this.#next = new AbortController();
    const { signal } = this.#next;
    await delay(1000 * seconds, undefined, { signal }).catch(() => undefined);
  }
}

function toleranceOf(seconds: number): number {
  return TOLERANCE_SHARE * seconds + TOLERANCE_SECONDS;
}
