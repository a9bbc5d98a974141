/**
 * Keeps a run's folder for one process. The lock is a file that its owner creates exclusively and removes at its end. That of
 * a process that died stays, and is replaced by the one process that holds the claim to it: a second lock, named after the
 * token of the dead one, so that nobody can claim a lock twice nor replace one that is not the dead one any more.
 */
import {
  closeSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, InputError, messageOf, show } from '../errors.ts';
import { readSmallFile } from '../small-file.ts';
import { isAlive, parseOwner, type RunOwner, thisOwner } from './run-owner.ts';

export const LOCK = 'run.lock';

/** The owner touches the file this often, for those who cannot see its process. */
const BEAT_MILLISECONDS = 15_000;
/** After so long without a touch such an owner is taken for dead. */
const SILENCE_MILLISECONDS = 120_000;
const MAX_BYTES = 4096;
/** Ends the name of a lock that is not yet one. */
const DRAFT = '.new';
/** What link(2) says on a file system that has no second names. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export interface RunLock {
  /** May be called again. */
  release(): void;
}

/**
 * Takes the lock of a folder, which exists. It is released at the process's exit at the latest. Throws InputError where a
 * living process has it, this one included, or where it cannot be written.
 */
export function lockRun(folder: string, beatMilliseconds = BEAT_MILLISECONDS): RunLock {
  const owner = thisOwner();
  const path = join(folder, LOCK);
  const descriptor = writing(folder, () => {
    const taken = take(folder, path, owner);
    removeDrafts(folder);
    return taken;
  });
  const beat = setInterval(() => touch(descriptor), beatMilliseconds).unref();
  const release = () => {
    if (!held.delete(release)) return;
    if (held.size === 0) process.off('exit', releaseAll);
    clearInterval(beat);
    closeSync(descriptor);
    if (look(path)?.token === owner.token) discard(path);
  };
  if (held.size === 0) process.on('exit', releaseAll);
  held.add(release);
  return { release };
}

/** Of this process, whose exit ends them all. */
const held = new Set<() => void>();

function releaseAll(): void {
  for (const release of held) release();
}

/** Whether a file of a run's folder is a lock, or the claim to one. */
export function isLock(name: string): boolean {
  return name === LOCK || name.startsWith(`${LOCK}.`);
}

/** Whether a living process has the lock of a folder. Writes nothing. */
export function isLocked(folder: string): boolean {
  return look(join(folder, LOCK))?.alive === true;
}

/** Throws InputError where a living process has the lock of a folder. Writes nothing. */
export function refuseLocked(folder: string): void {
  const found = look(join(folder, LOCK));
  if (found?.alive) throw inUse(folder, found);
}

/** Creates `path` or replaces it where its owner is dead; returns the open file. */
function take(folder: string, path: string, owner: RunOwner): number {
  for (;;) {
    const created = create(path, owner);
    if (created !== undefined) return created;
    const found = look(path);
    if (!found) continue; // It was just released.
    if (found.alive) throw inUse(folder, found);
    const claim = join(folder, `${LOCK}.${found.token}`);
    const descriptor = take(folder, claim, owner);
    if (replaces(claim, path, found.token)) return descriptor;
    closeSync(descriptor);
    rmSync(claim);
  }
}

/** False where the lock of that token is gone: another process had claimed it before, and has replaced it. */
function replaces(claim: string, path: string, token: string): boolean {
  if (look(path)?.token !== token) return false;
  try {
    renameSync(claim, path);
    return true;
  } catch (error) {
    rmSync(claim, { force: true });
    throw error;
  }
}

/**
 * Undefined where there is such a file already. It gets its name with its owner in it: wherever this process is killed, nobody
 * finds a lock of nobody; but for file systems without links.
 */
function create(path: string, owner: RunOwner): number | undefined {
  const draft = `${path}.${owner.token}${DRAFT}`;
  try {
    const descriptor = writeOwner(draft, owner);
    try {
      linkSync(draft, path);
      return descriptor;
    } catch (error) {
      closeSync(descriptor);
      if (!NO_LINKS.has(errorCode(error) ?? '')) throw error;
      return writeOwner(path, owner);
    }
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A new file that names its owner, open. */
function writeOwner(path: string, owner: RunOwner): number {
  const descriptor = openSync(path, 'wx');
  try {
    writeSync(descriptor, `${JSON.stringify(owner)}\n`);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    rmSync(path, { force: true });
    throw error;
  }
}

/** Drafts of processes that died before they could name them. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (isLock(name) && name.endsWith(DRAFT) && look(path)?.alive === false) {
      rmSync(path, { force: true });
    }
  }
}

interface FoundLock {
  /** Undefined where the file names none: it is being written, or was cut off. */
  owner?: RunOwner;
  token: string;
  alive: boolean;
  silentMilliseconds: number;
}

/** Undefined where there is no lock. */
function look(path: string): FoundLock | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  const silentMilliseconds = Date.now() - stats.mtimeMs;
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

/** A disk that was made read-only keeps the lock, which is then that of a dead process. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What the run ended with is told, not this.
  }
}

function touch(descriptor: number): void {
  const now = new Date();
  try {
    futimesSync(descriptor, now, now);
  } catch {
    // A disk that takes no more: those who see the process still know that it lives.
  }
}

function inUse(folder: string, { owner, silentMilliseconds }: FoundLock): InputError {
  const free = `Expected the run folder ${show(folder)} to be free, but `;
  if (owner && isAlive(owner)) {
    return new InputError(`${free}process ${owner.pid} is writing to it. Wait for it, or stop it.`);
  }
  const who = owner ? `process ${owner.pid} on host ${show(owner.host)}` : 'another process';
  const seconds = Math.max(0, Math.round(silentMilliseconds / 1000));
  return new InputError(
    `${free}${who} was writing to it ${seconds} s ago. Stop it; ` +
      `if it is dead, wait until ${SILENCE_MILLISECONDS / 1000} s have gone by.`,
  );
}

function writing<Result>(folder: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new InputError(
      `Expected the run folder ${show(folder)} to be writable: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
