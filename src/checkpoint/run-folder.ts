/** The folder of a run: configuration, logs and checkpoints. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { errorCode, expected, InputError, messageOf } from '../errors.ts';
import { AppendLog } from './append-log.ts';

const CONFIG = 'config.json';
const LOGS = ['steps', 'timings', 'evals'] as const;
/** What a run writes: --force removes these and nothing else. */
const OWN_ENTRIES = [CONFIG, ...LOGS.map((name) => `${name}.ndjson`), 'checkpoints', 'corpus'];

export type LogName = (typeof LOGS)[number];
export type LogSizes = Record<LogName, number>;
export type RunLogs = Record<LogName, AppendLog>;

export class RunFolder {
  /** Absolute. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
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
    if (!statSync(path).isDirectory()) {
      throw new InputError(expected('--run to be a folder', path, 'Choose another --run.'));
    }
    const entries = entriesOf(path);
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

  /** Makes the folder, without what an earlier run left in it. Throws InputError where it cannot be written. */
  static create(path: string): RunFolder {
    const folder = new RunFolder(resolve(path));
    try {
      for (const entry of OWN_ENTRIES)
        rmSync(join(folder.path, entry), { recursive: true, force: true });
      mkdirSync(folder.checkpoints, { recursive: true });
    } catch (error) {
      throw new InputError(
        `Expected --run to be a folder that can be written, got ${path} (${messageOf(error)}). Choose another --run.`,
        { cause: error },
      );
    }
    return folder;
  }

  /** Throws InputError where there is no run. */
  static open(path: string): RunFolder {
    const folder = new RunFolder(resolve(path));
    if (!existsSync(join(folder.path, CONFIG))) {
      throw new InputError(
        expected(
          `a run folder (with a ${CONFIG})`,
          path,
          'Runs are below runs/ unless --run said otherwise.',
        ),
      );
    }
    return folder;
  }

  writeConfig(config: object): void {
    writeFileSync(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  }

  /** The configuration as it was written, unchecked. Throws InputError where it is not JSON. */
  readConfig(): Record<string, unknown> {
    const path = join(this.path, CONFIG);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
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
    for (const entry of OWN_ENTRIES)
      rmSync(join(this.path, entry), { recursive: true, force: true });
    if (existsSync(this.path) && readdirSync(this.path).length === 0)
      rmSync(this.path, { recursive: true });
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
