/** How late this thread's event loop gets to its work: how much later than asked for a timer fires. */

/** Between two firings. Each wakes the thread on cold caches: 10 ms would take 1% of a core from the workers. */
const INTERVAL_MILLISECONDS = 250;
/** Firings that are kept where nobody reads: those of the last minute. */
const MAX_FIRINGS = 240;
const PERCENTILES = [50, 99] as const;

export interface Lag {
  percentile: number;
  seconds: number;
}

// Not Node's monitorEventLoopDelay: its histogram has the whole time between two firings, and none for the first after a reset.
export class EventLoopLag {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #last: number;
  /** Seconds by which each firing since the last reading was late. */
  #late: number[] = [];
  #lags: readonly Lag[] = PERCENTILES.map((percentile) => ({ percentile, seconds: 0 }));

  /** Its timer fires until `stop`, but does not keep the process alive. `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#last = now();
    this.#timer = setInterval(() => this.fire(), INTERVAL_MILLISECONDS).unref();
  }

  /** The timer has fired. */
  fire(): void {
    const now = this.#now();
    // A firing that follows a late one may come early.
    this.#late.push(Math.max(0, now - this.#last - INTERVAL_MILLISECONDS) / 1000);
    this.#last = now;
    if (this.#late.length > MAX_FIRINGS) this.#late.shift();
  }

  /** Since the reading before; the same again where the timer has not fired since. */
  read(): readonly Lag[] {
    const sorted = this.#late.sort((a, b) => a - b);
    this.#late = [];
    if (sorted.length > 0) {
      this.#lags = PERCENTILES.map((percentile) => ({
        percentile,
        seconds: sorted[Math.ceil((percentile / 100) * sorted.length) - 1],
      }));
    }
    return this.#lags;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
