/** What a run that failed leaves in its folder: why, until it goes on. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, messageOf } from '../errors.ts';
import { readSmallFile } from '../small-file.ts';
import { writeDurably } from './durable.ts';

export const FAILURE = 'failure.json';
const MAX_BYTES = 64 * 1024;
const MAX_CHARACTERS = 4000;

export interface FailureNote {
  /** The last step that was done. */
  step: number;
  message: string;
}

/** Throws as writing does. */
export function writeFailure(folder: string, { step, message }: FailureNote): void {
  const note: FailureNote = { step, message: message.slice(0, MAX_CHARACTERS) };
  writeDurably(join(folder, FAILURE), `${JSON.stringify(note)}\n`);
}

/** Undefined where there is none, or what there is cannot be read or is none. */
export function readFailure(folder: string): FailureNote | undefined {
  try {
    const { step, message } = JSON.parse(readSmallFile(join(folder, FAILURE), MAX_BYTES));
    if (!Number.isSafeInteger(step) || typeof message !== 'string') return;
    return { step, message: message.slice(0, MAX_CHARACTERS) };
  } catch {
    return;
  }
}

/** Throws InputError where that cannot be done. */
export function removeFailure(folder: string): void {
  const path = join(folder, FAILURE);
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw new InputError(
      `Expected ${path} to be a file that can be removed, got ${messageOf(error)}. Move it away.`,
      { cause: error },
    );
  }
}
