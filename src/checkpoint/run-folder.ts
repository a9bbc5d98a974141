/** The folder of a run: configuration, logs and checkpoints; of one process, until it is closed. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { errorCode, expected, InputError, messageOf, show } from '../errors.ts';
import { readSmallFile } from '../small-file.ts';
import { AppendLog } from './append-log.ts';
import { isLock, lockRun, type RunLock, refuseLocked } from './run-lock.ts';

const CONFIG = 'config.json';
/** The names of a hundred thousand files. */
const MAX_CONFIG_BYTES = 16 * 2 ** 20;
const LOGS = ['steps', 'timings', 'evals'] as const;
/** What a run writes: --force removes these and nothing else. */
const OWN_ENTRIES = [CONFIG, ...LOGS.map((name) => `${name}.ndjson`), 'checkpoints', 'corpus'];

export type LogName = (typeof LOGS)[number];
export type LogSizes = Record<LogName, number>;
export type RunLogs = Record<LogName, AppendLog>;

export class RunFolder {
  /** Absolute. */
  readonly path: string;
  readonly #lock: RunLock;

  /** The folder exists. Throws InputError where another process writes to it. */
  private constructor(path: string) {
    this.path = path;
    this.#lock = lockRun(path);
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }

  /** Where standard input is kept. */
  get corpus(): string {
    return join(this.path, 'corpus');
  }

  /** Throws InputError where the folder is in use and may not be replaced. Writes nothing. */
  static refuseExisting(path: string, force: boolean): void {
    if (!existsSync(path)) return;
    refuseOthers(path, force);
    refuseLocked(path);
  }

  /**
   * Makes the folder, without what an earlier run left in it. Throws InputError where it cannot be written, and as
   * `refuseExisting`, for another process may have come before.
   */
  static create(path: string, force: boolean): RunFolder {
    writable(path, () => mkdirSync(path, { recursive: true }));
    const folder = new RunFolder(resolve(path));
    try {
      refuseOthers(path, force);
      writable(path, () => {
        folder.#removeEntries();
        mkdirSync(folder.checkpoints);
      });
      return folder;
    } catch (error) {
      folder.close();
      throw error;
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

  writeConfig(config: object): void {
    writeFileSync(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  }

  /** The configuration as it was written, unchecked. Throws InputError where it is no object in JSON. */
  readConfig(): Record<string, unknown> {
    const path = join(this.path, CONFIG);
    try {
      const config: unknown = JSON.parse(readSmallFile(path, MAX_CONFIG_BYTES));
      if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
        return config as Record<string, unknown>;
      }
      throw new Error('it is no object');
    } catch (error) {
      const reason = errorCode(error) ?? messageOf(error);
      throw new InputError(`Expected ${path} to be a run's configuration in JSON: ${reason}.`, {
        cause: error,
      });
    }
  }

  /** Opens the logs, each cut back to its size. */
  openLogs(sizes: LogSizes): RunLogs {
    const open = (name: LogName) => new AppendLog(join(this.path, `${name}.ndjson`), sizes[name]);
    return { steps: open('steps'), timings: open('timings'), evals: open('evals') };
  }

  /** Takes back a folder whose run never started. */
  remove(): void {
    this.#removeEntries();
    this.close();
    if (existsSync(this.path) && readdirSync(this.path).length === 0)
      rmSync(this.path, { recursive: true });
  }

  /** Leaves the folder to others. May be called again. */
  close(): void {
    this.#lock.release();
  }

  #removeEntries(): void {
    for (const entry of OWN_ENTRIES)
      rmSync(join(this.path, entry), { recursive: true, force: true });
  }
}

/** Throws InputError where a run of someone else would have us write elsewhere. */
function refuseLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new InputError(
    `Expected ${show(path)} to be a folder of the run itself, got a link. Put what it points to in its place.`,
  );
}

/** Throws InputError where what is there may not be replaced. */
function refuseOthers(path: string, force: boolean): void {
  if (!statSync(path).isDirectory()) {
    throw new InputError(expected('--run to be a folder', path, 'Choose another --run.'));
  }
  const entries = entriesOf(path).filter((name) => !isLock(name));
  if (entries.length === 0) return;
  if (!force) {
    throw new InputError(
      `Expected --run to be a new or empty folder, got ${path}. ` +
        `Use another --run, --force to replace it, or threadloom resume ${path}.`,
    );
  }
  if (!entries.includes(CONFIG)) {
    throw new InputError(
      `Expected --force to replace a run, but ${path} holds other files and no ${CONFIG}. Choose another --run.`,
    );
  }
}

function writable(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new InputError(
      `Expected --run to be a folder that can be written, got ${path} (${messageOf(error)}). Choose another --run.`,
      { cause: error },
    );
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    throw new InputError(
      `Expected --run to be a folder that can be read, got ${path} (${messageOf(error)}). Choose another --run.`,
      { cause: error },
    );
  }
}
