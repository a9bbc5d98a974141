/** What a run has left in its folder, as a report shows it: read, never written. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { readFailure } from '../checkpoint/failure-note.ts';
import { openNewest } from '../checkpoint/finder.ts';
import type { CheckpointHeader } from '../checkpoint/header.ts';
import { isLocked } from '../checkpoint/run-lock.ts';
import { resolveConfig } from '../config/config.ts';
import { InputError, messageOf } from '../errors.ts';
import type { RunHistory } from '../live/history.ts';
import type { RunDescription, RunState, Snapshot, Upkeep } from '../live/protocol.ts';
import { readRunLogs } from '../live/run-logs.ts';
import { surroundings } from '../machine.ts';
import { PHASES } from '../metrics/catalogue.ts';
import { ParameterTable } from '../model/parameters.ts';
import { describeRun } from './run-description.ts';
import { planRun } from './run-plan.ts';

/**
 * All that is known of a run, finished or not, even while another process trains it. Bounded, whatever its length. Warns of
 * checkpoints that are passed over. Throws InputError where the folder is none of a run, has no checkpoint that is whole, or
 * cannot be read.
 */
export async function readRun(
  path: string,
  onWarning?: (message: string) => void,
): Promise<Snapshot> {
  const { checkpoint, warnings } = openNewest(path);
  for (const warning of warnings) onWarning?.(warning);
  const { header } = checkpoint;
  const upkeep = upkeepOf(checkpoint.path);
  checkpoint.close();
  // Now: by the time the logs are read, a run that trains may have ended after what they hold.
  const state = stateOf(path, header);
  const history = await readHistory(path);
  const step = history.points.at(-1)?.step ?? header.progress.step;
  return {
    run: descriptionOf(path, header, step),
    state: { ...state, step, secondsLeft: null },
    ...history.toLists(),
    alerts: [],
    upkeep,
  };
}

/** Of the newest checkpoint what its file tells; a run that trains may have removed it by now. */
function upkeepOf(path: string): Upkeep {
  const file = statSync(path, { throwIfNoEntry: false });
  return {
    checkpoint: file ? { time: Math.round(file.mtimeMs / 1000), bytes: file.size } : null,
    counts: null,
    residentBytes: null,
    arenaBytes: null,
  };
}

async function readHistory(path: string): Promise<RunHistory> {
  try {
    return await readRunLogs(path, PHASES);
  } catch (error) {
    throw new InputError(`Expected the logs of ${path} to be readable: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

/** A run may have been given more steps than its configuration says. */
function descriptionOf(path: string, header: CheckpointHeader, step: number): RunDescription {
  const run = basename(resolve(path));
  const config = resolveConfig({ ...header.config, run }, surroundings());
  const shape = planRun(config, header.corpus);
  return describeRun(config, {
    version: header.threadloom,
    backend: header.backend,
    variant: header.variant,
    parameters: new ParameterTable(header.model).count,
    workers: config.workers,
    vocabulary: header.model.vocabulary,
    totalSteps: Math.max(step, shape.totalSteps),
    stepsPerEpoch: shape.training.chunks,
  });
}

function stateOf(path: string, { progress }: CheckpointHeader): Pick<RunState, 'kind' | 'message'> {
  if (isLocked(path)) return { kind: 'training' };
  const failure = readFailure(path);
  if (failure) return { kind: 'failed', message: failure.message };
  return { kind: progress.finished ? 'finished' : 'stopped' };
}
