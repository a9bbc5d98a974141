/** The folder of a run: configuration, logs and checkpoints; of one process, until it is closed. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { errorCode, expected, InputError, messageOf } from '../errors.ts';
import { readSmallFile } from '../small-file.ts';
import { AppendLog, wholeBytes } from './append-log.ts';
import { syncFolder, TEMPORARY_SUFFIX, writeDurably } from './durable.ts';
import { FAILURE, removeFailure } from './failure-note.ts';
import { type LockClaim, lockRun, type RunLock, refuseLocked } from './run-lock.ts';
import {
  CONFIG,
  realPath,
  refuseLink,
  refuseOthers,
  refuseRemoved,
  writable,
} from './run-place.ts';
import { CHECKPOINT_FOLDER, removeTemporaryFiles } from './store.ts';

const CORPUS = 'corpus';
/** Where a report of the run is written unless it is said otherwise. */
export const REPORT = 'report.html';
/** The names of a hundred thousand files. */
const MAX_CONFIG_BYTES = 16 * 2 ** 20;
const LOGS = ['steps', 'timings', 'evals', 'gradients', 'samples'] as const;
/** The same to the byte however often a run was stopped and resumed. */
const REPRODUCIBLE_LOGS = ['steps', 'evals', 'gradients', 'samples'] as const;
/**
 * What a run writes: --force removes these and nothing else. The configuration goes last and comes first, so that a folder
 * with anything of a run has one, wherever the process ends.
 */
const OWN_ENTRIES: readonly string[] = [
  ...LOGS.map((name) => `${name}.ndjson`),
  CHECKPOINT_FOLDER,
  CORPUS,
  REPORT,
  FAILURE,
  FAILURE + TEMPORARY_SUFFIX,
  CONFIG + TEMPORARY_SUFFIX,
  CONFIG,
];

export type LogName = (typeof LOGS)[number];
export type LogSizes = Readonly<Record<LogName, number>>;
export type RunLogs = Readonly<Record<LogName, AppendLog>>;
export const EMPTY_LOGS = Object.freeze(
  Object.fromEntries(LOGS.map((name) => [name, 0])),
) as LogSizes;

export class RunFolder {
  /** Absolute. */
  readonly path: string;
  readonly #lock: RunLock;
  /** What `remove` takes away. */
  #own = OWN_ENTRIES;
  /** The first folder that was made for it, where one was. */
  #made: string | undefined;

  /** The folder exists. Throws InputError where another process writes to it. */
  private constructor(path: string) {
    this.path = path;
    this.#lock = lockRun(path);
  }

  /** Of the lock, for the thread that writes the checkpoints. */
  get claim(): LockClaim {
    return this.#lock.claim;
  }

  get config(): string {
    return join(this.path, CONFIG);
  }

  get checkpoints(): string {
    return join(this.path, CHECKPOINT_FOLDER);
  }

  /** Throws InputError where the folder is in use and may not be replaced. Writes nothing. */
  static refuseExisting(path: string, force: boolean): void {
    if (!existsSync(path)) return;
    refuseOthers(path, force);
    refuseLocked(path);
  }

  /**
   * Makes the folder, without what an earlier run left in it but its configuration, which `begin` replaces, and its corpus
   * where one of `files` lies in it. Throws InputError where it cannot be written, and as `refuseExisting`, for another
   * process may have come before.
   */
  static create(path: string, force: boolean, files: readonly string[]): RunFolder {
    const made = writable(path, () => mkdirSync(resolve(path), { recursive: true }));
    const folder = new RunFolder(resolve(path));
    folder.#made = made;
    const corpus = realPath(join(folder.path, CORPUS)) + sep;
    const keepsCorpus = files.some((file) => realPath(file).startsWith(corpus));
    if (keepsCorpus) folder.#own = OWN_ENTRIES.filter((entry) => entry !== CORPUS);
    try {
      refuseOthers(path, force);
      refuseRemoved(path, folder.#own, files);
      writable(path, () => {
        for (const entry of folder.#own) if (entry !== CONFIG) folder.#remove(entry);
      });
      return folder;
    } catch (error) {
      folder.close();
      throw error;
    }
  }

  /** Writes the configuration, and puts the folder on the disk: from now on there is a run. */
  begin(config: object): void {
    writeDurably(this.config, `${JSON.stringify(config, null, 2)}\n`);
    mkdirSync(this.checkpoints);
    syncFolder(this.path);
    const top = dirname(this.#made ?? this.path);
    for (let folder = this.path; folder !== top; ) {
      folder = dirname(folder);
      syncFolder(folder);
    }
  }

  /** Throws InputError where there is no run, or another process writes to it. */
  static open(path: string): RunFolder {
    if (!existsSync(join(path, CONFIG))) {
      throw new InputError(
        expected(
          `a run folder (with a ${CONFIG})`,
          path,
          'Runs are below runs/ unless --run said otherwise.',
        ),
      );
    }
    refuseLink(join(path, 'checkpoints'));
    return new RunFolder(resolve(path));
  }

  /** The configuration as it was written, unchecked. Throws InputError where it is no object in JSON. */
  readConfig(): Record<string, unknown> {
    try {
      const config: unknown = JSON.parse(readSmallFile(this.config, MAX_CONFIG_BYTES));
      if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
        return config as Record<string, unknown>;
      }
      throw new Error('it is no object');
    } catch (error) {
      const reason = errorCode(error) ?? messageOf(error);
      throw new InputError(
        `Expected ${this.config} to be a run's configuration in JSON: ${reason}.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Removes what a process that was killed had not finished. Throws InputError where that cannot be done. */
  removeTemporaryFiles(): void {
    try {
      this.#remove(CONFIG + TEMPORARY_SUFFIX);
      removeTemporaryFiles(this.checkpoints);
    } catch (error) {
      throw new InputError(`Expected ${this.path} to be writable: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }

  /**
   * What of the reproducible logs is not there up to these sizes; undefined where all is. Throws InputError where one
   * cannot be read.
   */
  missingLines(sizes: LogSizes): string | undefined {
    for (const name of REPRODUCIBLE_LOGS) {
      const path = join(this.path, `${name}.ndjson`);
      const bytes = wholeBytes(path, sizes[name]);
      if (bytes < sizes[name]) {
        return `${path} has only ${bytes} of its ${sizes[name]} bytes`;
      }
    }
    return undefined;
  }

  /**
   * Opens the logs, each cut back to its size or, where lines are missing, to its last whole line: the run goes on, and has
   * not failed any more. Throws InputError where one cannot be opened; none is then open.
   */
  openLogs(sizes: LogSizes): RunLogs {
    removeFailure(this.path);
    const logs: Partial<Record<LogName, AppendLog>> = {};
    try {
      for (const name of LOGS) {
        logs[name] = new AppendLog(join(this.path, `${name}.ndjson`), sizes[name]);
      }
      syncFolder(this.path); // The logs may be new in it, and the corpus.
    } catch (error) {
      for (const log of Object.values(logs)) log.close();
      throw error;
    }
    return logs as RunLogs;
  }

  /** Takes back a folder whose run never started. */
  remove(): void {
    for (const entry of this.#own) this.#remove(entry);
    this.close();
    if (existsSync(this.path) && readdirSync(this.path).length === 0)
      rmSync(this.path, { recursive: true });
  }

  /** Before something is written. Throws TrainingError where another process has taken the folder over meanwhile. */
  checkOwned(): void {
    this.#lock.check();
  }

  /** Something went wrong here: it may be because the folder was taken over, which the next check looks at. */
  doubtOwned(): void {
    this.#lock.doubt();
  }

  /** Leaves the folder to others. May be called again. */
  close(): void {
    this.#lock.release();
  }

  #remove(entry: string): void {
    rmSync(join(this.path, entry), { recursive: true, force: true });
  }
}

/** Where the run in the folder `run` keeps standard input. */
export function keptInput(run: string): string {
  return join(run, CORPUS, 'stdin.txt');
}

/** Where a file that a run was trained on is now: standard input, kept in the folder `run`, has moved with it. */
export function findMoved(run: string, file: string): string {
  if (existsSync(file) || basename(dirname(file)) !== CORPUS) return file;
  const moved = join(run, CORPUS, basename(file));
  return existsSync(moved) ? moved : file;
}
