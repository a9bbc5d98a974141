/**
 * Keeps a run's folder for one process. The lock is a file that its owner creates exclusively and removes at its end. That of
 * a process that died stays, and is replaced by the one process that holds the claim to it: a second lock, named after the
 * token of the dead one, so that nobody can claim a lock twice nor replace one that is not the dead one any more.
 */
import { closeSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, InputError, messageOf, show, TrainingError } from '../errors.ts';
import {
  create,
  discard,
  type FoundLock,
  isLost,
  LOCK,
  look,
  removeDrafts,
  SILENCE_MILLISECONDS,
  touch,
} from './lock-file.ts';
import { isAlive, type RunOwner, thisOwner } from './run-owner.ts';

/** The owner touches the file this often, for those who cannot see its process. */
const BEAT_MILLISECONDS = 15_000;

/** A lock by what tells whose it is: other threads of its owner ask by it. */
export interface LockClaim {
  path: string;
  owner: RunOwner;
}

export interface RunLock {
  readonly claim: LockClaim;
  /**
   * Before something is written. Throws TrainingError where the lock is not this process's any more: the machine slept, or its
   * touches did not get through, and another process took it for dead. Looks at the file once a beat.
   */
  check(): void;
  /** Something went wrong in the folder: the next check looks at the file. */
  doubt(): void;
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
  const claim = { path, owner };
  const descriptor = writing(folder, () => {
    const taken = take(folder, path, owner);
    removeDrafts(folder);
    return taken;
  });
  const beat = setInterval(() => touch(descriptor, owner), beatMilliseconds).unref();
  let seen = Date.now();
  const check = () => {
    // By the clock on the wall, which goes on while the machine sleeps.
    if (Math.abs(Date.now() - seen) < beatMilliseconds) return;
    refuseLost(claim);
    seen = Date.now();
  };
  const doubt = () => {
    seen = Number.NEGATIVE_INFINITY;
  };
  const release = () => {
    if (!held.delete(release)) return;
    if (held.size === 0) process.off('exit', releaseAll);
    clearInterval(beat);
    closeSync(descriptor);
    if (look(path)?.token === owner.token) discard(path);
  };
  if (held.size === 0) process.on('exit', releaseAll);
  held.add(release);
  return { claim, check, doubt, release };
}

/** Of this process, whose exit ends them all. */
const held = new Set<() => void>();

function releaseAll(): void {
  for (const release of held) release();
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

/** Throws TrainingError where the lock is not its owner's any more. Looks at the file. */
export function refuseLost({ path, owner }: LockClaim): void {
  if (isLost(path, owner)) throw lost(path);
}

/** Creates `path` or replaces it where its owner is dead; returns the open file. */
function take(folder: string, path: string, owner: RunOwner): number {
  for (;;) {
    const { descriptor: created, now } = create(path, owner);
    if (created !== undefined) return created;
    const found = look(path, now);
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

function lost(path: string): TrainingError {
  const owner = look(path)?.owner;
  const what = owner
    ? `process ${owner.pid} on host ${show(owner.host)} has taken it over`
    : `its ${LOCK} is gone`;
  return new TrainingError(
    `Expected the run folder ${show(dirname(path))} to stay this process's, but ${what}. It writes no more there; ` +
      'another process that resumes the run goes on from its last checkpoint.',
  );
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
