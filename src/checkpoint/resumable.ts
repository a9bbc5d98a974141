/** Finding of the checkpoint from which a run goes on. */
import { errorCode, InputError, messageOf, NewerVersionError, shellWord, show } from '../errors.ts';
import { type FoundCheckpoint, openNewest } from './finder.ts';
import { type CheckpointFile, openCheckpoint } from './reader.ts';
import type { RunFolder } from './run-folder.ts';
import { listCheckpoints, type StoredCheckpoint } from './store.ts';

/**
 * Opens the newest checkpoint of a run that is whole and whose lines are all in the logs: from there the run ends with the
 * same logs as one never stopped. Where lines are missing for each, it is the newest that is whole. Warnings tell what was
 * passed over or is missing. Throws InputError where there is none, or where checkpoints or logs cannot be read.
 */
export function openResumable(folder: RunFolder): FoundCheckpoint {
  const warnings: string[] = [];
  let missing: string | undefined;
  for (const { path } of storedIn(folder)) {
    const checkpoint = openWhole(path, warnings);
    if (!checkpoint) continue;
    missing = missingLines(folder, checkpoint);
    if (missing === undefined) return { checkpoint, warnings };
    checkpoint.close();
    warnings.push(`Checkpoint ${show(path)} is passed over, because lines were lost: ${missing}.`);
  }
  const newest = openNewest(folder.path);
  newest.warnings.push(`Lines of the run's logs are lost and stay missing: ${missing}.`);
  return newest;
}

/** Of what a checkpoint counts on. Closes it where the logs cannot be read. */
function missingLines(folder: RunFolder, checkpoint: CheckpointFile): string | undefined {
  try {
    return folder.missingLines(checkpoint.header.progress.logBytes);
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** Newest first. A run begins with a checkpoint: without one it has not begun. */
function storedIn(folder: RunFolder): StoredCheckpoint[] {
  const stored = listUnlessMissing(folder.checkpoints);
  if (stored.length > 0) return stored;
  throw new InputError(
    `Expected a run with a checkpoint in ${folder.path}, got none: it ended before the first was written. ` +
      `Start it again: threadloom train --config ${shellWord(folder.config)} --run ${shellWord(folder.path)} --force`,
  );
}

function listUnlessMissing(path: string): StoredCheckpoint[] {
  try {
    return listCheckpoints(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(
      `Expected ${path} to be a folder that can be read, with the run's checkpoints, got ${messageOf(error)}. ` +
        'Restore it, or make it readable.',
      { cause: error },
    );
  }
}

/** What stands in the way of this process now, and not in the file. */
const PASSING = new Set(['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Undefined where the checkpoint is not whole. One that only cannot be read now is not passed over: it would be replaced. */
function openWhole(path: string, warnings: string[]) {
  try {
    return openCheckpoint(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { cause } = error;
    if (cause instanceof NewerVersionError || PASSING.has(errorCode(cause) ?? '')) throw error;
    warnings.push(error.message);
    return undefined;
  }
}
