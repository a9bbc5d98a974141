/** Checkpoints and memory of a run that trains, as it is shown. */
import type { RunRecord } from '../metrics/records.ts';
import type { Upkeep } from './protocol.ts';

/** A change of the resident memory that is worth telling. */
const TOLD_BYTES = 2 ** 20;

export class UpkeepMeter {
  readonly #residentBytes: () => number;
  #now: Upkeep = {
    checkpoint: null,
    counts: { written: 0, failed: 0, skipped: 0 },
    residentBytes: null,
    arenaBytes: null,
  };

  constructor(residentBytes: () => number) {
    this.#residentBytes = residentBytes;
  }

  /** Another object after each change. */
  get now(): Upkeep {
    return this.#now;
  }

  begin({ arenaBytes }: Pick<RunRecord, 'arenaBytes'>): void {
    const bytes = [...arenaBytes.values()].reduce((sum, each) => sum + each, 0);
    this.#now = { ...this.#now, arenaBytes: bytes };
  }

  /** `time`: Unix time in seconds. */
  checkpointWritten(bytes: number, time: number): void {
    this.#now = { ...this.#now, checkpoint: { time, bytes } };
    this.#count('written');
  }

  checkpointFailed(): void {
    this.#count('failed');
  }

  checkpointSkipped(): void {
    this.#count('skipped');
  }

  measure(): void {
    const bytes = this.#residentBytes();
    if (Math.abs(bytes - (this.#now.residentBytes ?? 0)) < TOLD_BYTES) return;
    this.#now = { ...this.#now, residentBytes: bytes };
  }

  #count(what: keyof NonNullable<Upkeep['counts']>): void {
    const counts = this.#now.counts;
    if (counts) this.#now = { ...this.#now, counts: { ...counts, [what]: counts[what] + 1 } };
  }
}
