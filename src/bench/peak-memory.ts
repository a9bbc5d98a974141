/** The most memory of this process that was resident since the watch began. */
import { readFileSync, writeFileSync } from 'node:fs';

export class PeakMemory {
  /** The most of all samples, where the system keeps no count. */
  #sampled: number | undefined;

  constructor() {
    forgetPeak();
    if (peakResidentBytes() === undefined) this.#sampled = process.memoryUsage.rss();
  }

  /** To be called often; costs nothing where the system counts by itself (Linux). */
  sample(): void {
    if (this.#sampled === undefined) return;
    this.#sampled = Math.max(this.#sampled, process.memoryUsage.rss());
  }

  get bytes(): number {
    return this.#sampled ?? peakResidentBytes() ?? process.memoryUsage.rss();
  }
}

/** Begins to count anew. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // It goes on counting from the start of the process.
  }
}

function peakResidentBytes(): number | undefined {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) || undefined;
  } catch {
    return undefined;
  }
}
