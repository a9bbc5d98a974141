/** Whether a run may be made in a place, by what is there. */
import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { expected, InputError, messageOf, shellWord, show } from '../errors.ts';
import { TEMPORARY_SUFFIX } from './durable.ts';
import { isLock } from './lock-file.ts';

/** What makes a folder that of a run. */
export const CONFIG = 'config.json';

/** Throws InputError where a run of someone else would have us write elsewhere. */
export function refuseLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new InputError(
    `Expected ${show(path)} to be a folder of the run itself, got a link. Put what it points to in its place.`,
  );
}

/** Throws InputError where what is there may not be replaced. */
export function refuseOthers(path: string, force: boolean): void {
  if (!statSync(path).isDirectory()) {
    throw new InputError(expected('--run to be a folder', path, 'Choose another --run.'));
  }
  const unfinished = CONFIG + TEMPORARY_SUFFIX;
  const entries = entriesOf(path).filter((name) => !isLock(name) && name !== unfinished);
  if (entries.length === 0) return;
  if (!force) {
    throw new InputError(
      `Expected --run to be a new or empty folder, got ${path}. ` +
        `Use another --run, --force to replace it, or threadloom resume ${shellWord(path)}.`,
    );
  }
  if (!entries.includes(CONFIG)) {
    throw new InputError(
      `Expected --force to replace a run, but ${path} holds other files and no ${CONFIG}. Choose another --run.`,
    );
  }
}

/** Throws InputError where one of the files is, or lies in, one of the entries of the folder, which are to be removed. */
export function refuseRemoved(
  path: string,
  entries: readonly string[],
  files: readonly string[],
): void {
  const removed = files.find((file) =>
    entries.includes(relative(realPath(path), realPath(file)).split(sep)[0]),
  );
  if (removed === undefined) return;
  throw new InputError(
    expected('no text that --force would remove', removed, 'Copy it, or choose another --run.'),
  );
}

/** By whatever links it was reached; of what is not there, the absolute path. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Does `work`, which writes there; throws InputError for what keeps it from that. */
export function writable<Result>(path: string, work: () => Result): Result {
  try {
    return work();
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
