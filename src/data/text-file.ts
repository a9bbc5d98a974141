/** Opening of files that hold text. */
import { closeSync, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { errorCode, expected, InputError, messageOf } from '../errors.ts';

export interface OpenedFile {
  descriptor: number;
  modifiedMs: number;
}

/** Opens a regular file for reading. Throws InputError for anything else, saying what is there. */
export function openTextFile(path: string): OpenedFile {
  refuseUnlessRegular(path);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    return { descriptor, modifiedMs: fstatSync(descriptor).mtimeMs };
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw unreadable(path, error);
  }
}

/** Before opening: to open a pipe would wait for its other end. */
function refuseUnlessRegular(path: string): void {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  if (stats.isDirectory()) {
    throw new InputError(expected('a text file', path, 'That is a folder: name the files in it.'));
  }
  if (!stats.isFile()) {
    throw new InputError(
      expected('a text file', path, 'That is not a regular file: use - to read standard input.'),
    );
  }
}

/** The refusal of a file that the system does not let us read. */
export function unreadable(path: string, error: unknown): InputError {
  const code = errorCode(error);
  const remedy =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'There is no such file: check the path.'
      : code === 'EACCES' || code === 'EPERM'
        ? 'This user may not read it: change its permissions.'
        : `It cannot be read: ${messageOf(error)}.`;
  return new InputError(expected('a text file', path, remedy), { cause: error });
}
