/** Finding of the checkpoint that a user means. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, expected, InputError, messageOf, show } from '../errors.ts';
import { type CheckpointFile, openCheckpoint } from './reader.ts';
import { CHECKPOINT_FOLDER, listCheckpoints, type StoredCheckpoint } from './store.ts';

export interface FoundCheckpoint {
  /** Open: the caller closes it. */
  checkpoint: CheckpointFile;
  /** Why newer checkpoints of the run were passed over, a line each. */
  warnings: string[];
}

/**
 * Opens what `target` names: a checkpoint file, or a run's folder, which means its newest checkpoint that is
 * whole. Throws InputError where there is none.
 */
export function openTarget(target: string): FoundCheckpoint {
  return isFolder(target)
    ? openNewest(target)
    : { checkpoint: openCheckpoint(target), warnings: [] };
}

function isFolder(target: string): boolean {
  try {
    return statSync(target).isDirectory();
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR';
    const why = missing ? 'There is nothing of that name: check the path.' : `${messageOf(error)}.`;
    throw new InputError(expected('the folder of a run or a checkpoint file', target, why), {
      cause: error,
    });
  }
}

/** Opens the newest checkpoint of a run's folder that is whole. Throws InputError where there is none. */
export function openNewest(run: string): FoundCheckpoint {
  const warnings: string[] = [];
  for (const { path } of checkpointsOf(run)) {
    try {
      return { checkpoint: openCheckpoint(path), warnings };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      warnings.push(error.message);
    }
  }
  throw new InputError(
    warnings.length === 0
      ? `Expected a run with a checkpoint in ${show(run)}, got none in its ${CHECKPOINT_FOLDER} folder.`
      : `No checkpoint of ${show(run)} can be used. ${warnings[0]}`,
  );
}

function checkpointsOf(run: string): StoredCheckpoint[] {
  try {
    return listCheckpoints(join(run, CHECKPOINT_FOLDER));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new InputError(
      errorCode(error) === 'ENOENT'
        ? expected('the folder of a run', run, `It has no ${CHECKPOINT_FOLDER} folder.`)
        : `Cannot read the checkpoints of ${show(run)}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
