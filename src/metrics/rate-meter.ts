/** Throughput over about the last second, and over all. Pure. */

const WINDOW_SECONDS = 1;

export class RateMeter {
  readonly #recent: { count: number; seconds: number }[] = [];
  #recentCount = 0;
  #recentSeconds = 0;
  #count = 0;
  #seconds = 0;

  /** Adds `count` items done in `seconds`; returns items per second of the last second's steps. */
  add(count: number, seconds: number): number {
    this.#recent.push({ count, seconds });
    this.#recentCount += count;
    this.#recentSeconds += seconds;
    this.#count += count;
    this.#seconds += seconds;
    while (
      this.#recent.length > 1 &&
      this.#recentSeconds - this.#recent[0].seconds > WINDOW_SECONDS
    ) {
      const oldest = this.#recent.shift()!;
      this.#recentCount -= oldest.count;
      this.#recentSeconds -= oldest.seconds;
    }
    return this.#recentCount / this.#recentSeconds;
  }

  /** Items per second over all; 0 before the first. */
  get mean(): number {
    return this.#seconds > 0 ? this.#count / this.#seconds : 0;
  }
}
