/** Limits of waiting for a thread. */

/** A thread that is told to end has ended within this time, or it is stuck in a call of the system. */
export const EXIT_LIMIT_SECONDS = 10;
/** A thread that loads has at least this time, however small --worker-timeout is: many may load at once. */
export const LOAD_LIMIT_SECONDS = 30;

const TICKS = 10;

/**
 * Says when what is awaited makes no progress for a time. Counts ticks instead of reading a clock: the time in which the whole
 * process stood still (SIGSTOP, a machine asleep) is one tick, so it does not look as if every thread had hung.
 */
export class Watch {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #pulse: Int32Array | undefined;
  #beats = 0;
  #ticks = 0;
  #waiting = false;

  /**
   * `limitSeconds`: 0 for none. `late` is called once for each `begin`, between 1 and 1.1 times the limit after it or after
   * the last change of `pulse` (1), shared with the thread.
   */
  constructor(limitSeconds: number, late: () => void, pulse?: Int32Array) {
    this.#pulse = pulse;
    if (limitSeconds === 0) return;
    this.#timer = setInterval(() => this.#tick(late), (limitSeconds * 1000) / TICKS);
    this.#timer.unref();
  }

  /** Waiting begins, or progress was made. */
  begin(): void {
    this.#ticks = 0;
    this.#waiting = true;
  }

  /** What is awaited, if anything, may take as long again from now on. */
  renew(): void {
    this.#ticks = 0;
  }

  end(): void {
    this.#waiting = false;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(late: () => void): void {
    const beats = this.#pulse ? Atomics.load(this.#pulse, 0) : 0;
    if (beats !== this.#beats) this.#ticks = 0;
    this.#beats = beats;
    if (!this.#waiting || ++this.#ticks <= TICKS) return;
    this.#waiting = false;
    late();
  }
}

/** What a thread is ended for that exceeds `--worker-timeout`. */
export function noProgress(limitSeconds: number): Error {
  return new Error(
    `no progress for ${limitSeconds} s; raise --worker-timeout where the work takes so long`,
  );
}
