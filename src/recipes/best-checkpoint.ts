/** The loss of a run's best checkpoint: above the lowest of the run where the one of that could not be written. */
export class BestCheckpoint {
  /** Null for none. */
  #written: number | null;
  #newest: number | null;

  constructor(loss: number | null) {
    this.#written = loss;
    this.#newest = loss;
  }

  /** Of the one that is written or being written; null for none. */
  get loss(): number | null {
    return this.#newest;
  }

  isBeatenBy(loss: number): boolean {
    return this.#newest === null || loss < this.#newest;
  }

  writing(loss: number): void {
    this.#newest = loss;
  }

  /** A better one may be on its way already. */
  written(loss: number): void {
    this.#written = loss;
    this.#newest = Math.min(loss, this.#newest ?? loss);
  }

  failed(loss: number): void {
    if (this.#newest === loss) this.#newest = this.#written;
  }
}
