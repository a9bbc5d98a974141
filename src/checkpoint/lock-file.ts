/** The file that a lock is: it names its owner, who touches it, and removes it at the end. */
import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';
import { readSmallFile } from '../small-file.ts';
import { isAlive, parseOwner, type RunOwner } from './run-owner.ts';

export const LOCK = 'run.lock';

/** An owner whose process cannot be seen is taken for dead after so long without a touch. */
export const SILENCE_MILLISECONDS = 120_000;
const MAX_BYTES = 4096;
/** Ends the name of a lock that is not yet one. */
const DRAFT = '.new';
/** What link(2) says on a file system that has no second names. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Whether a file of a run's folder is a lock, or the claim to one. */
export function isLock(name: string): boolean {
  return name === LOCK || name.startsWith(`${LOCK}.`);
}

export interface Creation {
  /** Of the open file; undefined where there was one already. */
  descriptor?: number;
  /** The time by the clock of the file system, which may be another machine's: milliseconds since 1970. */
  now: number;
}

/**
 * The file gets its name with its owner in it: wherever this process is killed, nobody finds a lock of nobody; but for file
 * systems without links.
 */
export function create(path: string, owner: RunOwner): Creation {
  const draft = `${path}.${owner.token}${DRAFT}`;
  const descriptor = writeOwner(draft, owner);
  const now = fstatSync(descriptor).mtimeMs;
  try {
    linkSync(draft, path);
    return { descriptor, now };
  } catch (error) {
    closeSync(descriptor);
    if (errorCode(error) === 'EEXIST') return { now };
    if (!NO_LINKS.has(errorCode(error) ?? '')) throw error;
    return { descriptor: createWithoutLink(path, owner), now };
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Undefined where there is such a file already. */
function createWithoutLink(path: string, owner: RunOwner): number | undefined {
  try {
    return writeOwner(path, owner);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** A new file that names its owner, open. */
function writeOwner(path: string, owner: RunOwner): number {
  const descriptor = openSync(path, 'wx');
  try {
    writeSync(descriptor, textOf(owner), 0);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    rmSync(path, { force: true });
    throw error;
  }
}

function textOf(owner: RunOwner): string {
  return `${JSON.stringify(owner)}\n`;
}

export interface FoundLock {
  /** Undefined where the file names none: it is being written, or was cut off. */
  owner?: RunOwner;
  token: string;
  alive: boolean;
  silentMilliseconds: number;
}

/** Undefined where there is no lock. */
export function look(path: string, now = Date.now()): FoundLock | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  const silentMilliseconds = now - stats.mtimeMs;
  const beating = silentMilliseconds < SILENCE_MILLISECONDS;
  const owner = readOwner(path);
  if (!owner) return { token: `${stats.ino}-${stats.mtimeMs}`, alive: beating, silentMilliseconds };
  return { owner, token: owner.token, alive: isAlive(owner) ?? beating, silentMilliseconds };
}

function readOwner(path: string): RunOwner | undefined {
  try {
    return parseOwner(readSmallFile(path, MAX_BYTES));
  } catch {
    return undefined;
  }
}

/** Removes from a folder the drafts of processes that died before they could name them. */
export function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (isLock(name) && name.endsWith(DRAFT) && look(path)?.alive === false) {
      rmSync(path, { force: true });
    }
  }
}

/** A disk that was made read-only keeps the lock, which is then that of a dead process. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What the run ended with is told, not this.
  }
}

/** The same text once more: so the file's time is by the clock of the file system, as all who look at it have it. */
export function touch(descriptor: number, owner: RunOwner): void {
  try {
    writeSync(descriptor, textOf(owner), 0);
  } catch {
    // A disk that takes no more: those who see the process still know that it lives.
  }
}

/** Whether it is known that the lock is not `owner`'s: it is another's, or gone. */
export function isLost(path: string, { token }: RunOwner): boolean {
  try {
    const found = look(path);
    return !found || (found.owner !== undefined && found.token !== token);
  } catch {
    return false;
  }
}
