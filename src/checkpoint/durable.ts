/** Files and names that are still there after the power fails. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What a file is called until it is complete: never taken for what it will be. */
export const TEMPORARY_SUFFIX = '.tmp';

/** Writes a text file that appears under its name complete and on the disk, or not at all. */
export function writeDurably(path: string, text: string): void {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    // Anew and exclusively: a link that stands there is not followed.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { flag: 'wx' });
    syncFile(temporary);
    moveDurably(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Renames a file that is on the disk, and puts the new name there too. */
export function moveDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** Waits until all that was written to a file, by whomever, is on the disk. */
export function syncFile(path: string): void {
  sync(path, 'r+');
}

/** Waits until the names in a folder are on the disk. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return; // A folder cannot be opened there.
  sync(path, 'r');
}

function sync(path: string, flags: string): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
