/** The checkpoints of a run: a folder with one file a step, and the best of them under its own name. */
import {
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf, show, TrainingError } from '../errors.ts';
import type { WriteCheckpointRequest, WriteCheckpointResult } from '../pool/actor-protocol.ts';
import { moveDurably, syncFile, TEMPORARY_SUFFIX } from './durable.ts';
import { checkState } from './header.ts';
import { type LockClaim, refuseLost } from './run-lock.ts';
import { writeCheckpoint } from './writer.ts';

/** Of a run's folder. */
export const CHECKPOINT_FOLDER = 'checkpoints';
export const BEST_CHECKPOINT = 'best.ckpt';

export interface StoredCheckpoint {
  path: string;
  step: number;
}

/** `step-00001200.ckpt` */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, '0')}.ckpt`;
}

/** The checkpoints in a folder, newest first, the best not among them, nor what is a folder. Throws as readdir does. */
export function listCheckpoints(folder: string): StoredCheckpoint[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const { name } = entry;
      const step = /^step-(\d{8,15})\.ckpt$/.exec(name)?.[1];
      return step && !entry.isDirectory() ? [{ path: join(folder, name), step: Number(step) }] : [];
    })
    .sort((a, b) => b.step - a.step);
}

/**
 * Writes the checkpoint of a step, makes it the best too where asked, and removes what is not kept: all but
 * the newest `keep`, and those of later steps, which a run that went back to an earlier one has left.
 * Throws TrainingError where that fails, or the lock is another's: it is looked at before each change, for while a file was
 * written the machine may have slept, and another process gone on with the run. The checkpoints of other steps are then still
 * there. The best gets its name first: wherever the process ends, a checkpoint that counts on being the best is. The same
 * request may be made again, also after a thread died at any point of it. `pulse` (1) counts the logs synced and the pieces
 * written, for who waits.
 */
export function storeCheckpoint(
  request: WriteCheckpointRequest,
  arena: ArrayBufferLike,
  pulse?: Int32Array,
): WriteCheckpointResult {
  const { folder, step, keep, tensors, lock, logs = [] } = request;
  const name = checkpointName(step);
  const path = join(folder, name);
  const temporary = join(folder, temporaryName(name, lock));
  const state = checkState(request.header);
  try {
    syncAll(logs, pulse);
    const began = performance.now();
    refuseLost(lock);
    mkdirSync(folder, { recursive: true });
    // Of a thread that died.
    removeTemporaryFiles(folder, temporaryEnd(lock));
    const bytes = writeCheckpoint(temporary, state, tensors, arena, pulse);
    refuseLost(lock);
    if (request.best) makeBest(folder, temporary, lock);
    refuseLost(lock);
    moveDurably(temporary, path);
    refuseLost(lock);
    prune(folder, step, keep);
    return { path, bytes, seconds: (performance.now() - began) / 1000 };
  } catch (error) {
    discard(temporary);
    // Who takes the folder over removes what is unfinished there.
    refuseLost(lock);
    if (error instanceof TrainingError) throw error;
    throw new TrainingError(
      `Could not write checkpoint ${show(path)}: ${messageOf(error)}. ` +
        'Earlier checkpoints stay valid.',
      { step },
      { cause: error },
    );
  }
}

/** By their descriptors, one after the other: each is a sign of life. */
function syncAll(files: readonly number[], pulse?: Int32Array): void {
  for (const file of files) {
    fsyncSync(file);
    if (pulse) Atomics.add(pulse, 0, 1);
  }
}

/** Removes a file if that can be done: the next checkpoint tries again. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What made the writing fail is told.
  }
}

const TEMPORARY_END = `.ckpt${TEMPORARY_SUFFIX}`;

/** Of the owner's files and of no other's: who took the folder over may be at the same step. */
function temporaryEnd({ owner }: LockClaim): string {
  return `.${owner.token}${TEMPORARY_END}`;
}

/** `step-00001200.<token>.ckpt.tmp` */
function temporaryName(name: string, lock: LockClaim): string {
  return basename(name, '.ckpt') + temporaryEnd(lock);
}

/**
 * Removes unfinished checkpoints: all of them, left by a process that was killed while it wrote, or those whose names have a
 * certain end. Throws as readdir and rm do.
 */
export function removeTemporaryFiles(folder: string, end = TEMPORARY_END): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith(end)) rmSync(join(folder, name));
  }
}

function makeBest(folder: string, checkpoint: string, lock: LockClaim): void {
  const temporary = join(folder, temporaryName(BEST_CHECKPOINT, lock));
  try {
    linkOrCopy(checkpoint, temporary);
    moveDurably(temporary, join(folder, BEST_CHECKPOINT));
  } finally {
    // A rename onto another link of the same file leaves both.
    rmSync(temporary, { force: true });
  }
}

/** A second name costs no space; file systems without hard links get a copy. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
    syncFile(to);
  }
}

function prune(folder: string, step: number, keep: number): void {
  const stored = listCheckpoints(folder);
  const later = stored.filter((checkpoint) => checkpoint.step > step);
  const older = stored.filter((checkpoint) => checkpoint.step <= step).slice(keep);
  for (const { path } of [...later, ...older]) rmSync(path);
}
