/**
 * What a run leaves beside its checkpoints: its logs, and what of them could not be written. Whatever writes throws TrainingError
 * where another process has taken the folder over.
 */
import type { LogName, LogSizes, RunFolder, RunLogs } from '../checkpoint/run-folder.ts';

export class RunJournal {
  readonly #folder: RunFolder;
  readonly #logs: RunLogs;
  readonly #failures = new Set<string>();
  readonly #onWarning: (message: string) => void;

  /** Cuts the logs back to `sizes`. */
  constructor(folder: RunFolder, sizes: LogSizes, onWarning: (message: string) => void) {
    this.#folder = folder;
    this.#logs = folder.openLogs(sizes);
    this.#onWarning = onWarning;
  }

  /** Each told once; they make the run end with an error. */
  get failures(): string[] {
    return [...this.#failures];
  }

  get sizes(): LogSizes {
    const sizes = Object.entries(this.#logs).map(([name, log]) => [name, log.bytes]);
    return Object.fromEntries(sizes) as LogSizes;
  }

  get pendingBytes(): number {
    return Object.values(this.#logs).reduce((sum, log) => sum + log.pendingBytes, 0);
  }

  append(name: LogName, lines: readonly object[]): void {
    this.#folder.checkOwned();
    this.#failOn(name, this.#logs[name].append(lines));
  }

  /** Writes what waits for room on the disk. */
  flush(): void {
    this.#folder.checkOwned();
    for (const name of Object.keys(this.#logs) as LogName[]) {
      this.#failOn(name, this.#logs[name].flush());
    }
  }

  /**
   * Descriptors of the logs that can be reproduced: each is to be on the disk before a checkpoint, which counts on the lines that
   * wait too. Those that find no room now either are a failure that has been told.
   */
  toSync(): number[] {
    this.flush();
    return Object.entries(this.#logs).flatMap(([name, log]) =>
      name === 'timings' ? [] : log.descriptor,
    );
  }

  /** Training goes on; the user hears of each failure once, and the run ends with an error. */
  fail(message: string): void {
    if (!this.#failures.has(message)) this.#onWarning(message);
    this.#failures.add(message);
  }

  /** Tries a last time to write what waits: after an error nobody else does. */
  close(): void {
    try {
      this.flush();
    } catch {
      // The folder is another's by now: nothing more may be written there.
    } finally {
      for (const log of Object.values(this.#logs)) log.close();
    }
  }

  #failOn(name: LogName, error: Error | undefined): void {
    if (error) this.fail(`${this.#logs[name].path} could not be written: ${error.message}`);
  }
}
