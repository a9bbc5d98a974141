/** Puts the tensors of a checkpoint into the arena. */
import type { CheckpointHeader } from '../checkpoint/header.ts';
import type { CheckpointFile } from '../checkpoint/reader.ts';
import { EMPTY_LOGS, type LogSizes } from '../checkpoint/run-folder.ts';
import type { Settings } from '../config/config.ts';
import type { Engine, EnginePlan } from '../coordinator/engine.ts';
import { InputError } from '../errors.ts';
import type { ArenaViews } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { Region } from '../memory/table.ts';
import type { ParameterTable } from '../model/parameters.ts';
import type { ModelSpec } from '../model/spec.ts';
import type { TensorSource } from '../pool/actor-protocol.ts';

/** What a run knows of its past, beside the arena. */
export interface Progress {
  step: number;
  elapsedSeconds: number;
  lastLoss: number | null;
  bestLoss: number | null;
  /** Of the best checkpoint. */
  savedBestLoss: number | null;
  lastEvalLoss: number | null;
  /** Step of the last validation; null before the first. */
  evaluatedStep: number | null;
  /** Step of the last text that was drawn; null before the first. */
  sampledStep: number | null;
  /** The run has come to its end. */
  finished: boolean;
  /** The checkpoint it was read from; null for a new run. */
  checkpoint: string | null;
  /** Sizes to cut the logs back to. */
  logBytes: LogSizes;
}

export const NO_PROGRESS: Progress = Object.freeze({
  step: 0,
  elapsedSeconds: 0,
  lastLoss: null,
  bestLoss: null,
  savedBestLoss: null,
  lastEvalLoss: null,
  evaluatedStep: null,
  sampledStep: null,
  finished: false,
  checkpoint: null,
  logBytes: EMPTY_LOGS,
});

/** The settings that make a model the checkpoint's; of another cell, if `given` asks for one, to be refused as that. */
export function modelSettings({ model, tokens }: CheckpointHeader, given: Settings): Settings {
  const { cell, activation, hidden, layers, embed } = model;
  const isRnn = (given.cell ?? cell) === 'rnn';
  return { cell, hidden, layers, embed, tokens, ...(isRnn && { activation }) };
}

/** The tensors of a checkpoint and where the snapshot holds them. */
export function snapshotTensors(table: ParameterTable, layout: ArenaLayout): TensorSource[] {
  const { snapshot } = layout;
  const vector = (prefix: string, offset: number): TensorSource[] =>
    table.parameters.map(({ name, shape, start }) => ({
      name: `${prefix}${name}`,
      type: 'float32',
      shape: [...shape],
      offset: offset + start,
    }));
  const carry = layout.regions.find(({ name }) => name === 'snapshot carry') as Region;
  return [
    ...vector('', snapshot.parameters),
    ...snapshot.moments.flatMap((offset, i) => vector(`moment ${i} `, offset)),
    { name: 'carry', type: 'float32', shape: [...carry.shape], offset: carry.offset },
  ];
}

/** Loads parameters, optimizer state and carries of a run that goes on. Throws InputError where one does not fit. */
export function loadState(
  checkpoint: CheckpointFile,
  plan: EnginePlan,
  { views, coordinator }: Engine,
): Progress {
  const { progress } = checkpoint.header;
  const { layout } = plan;
  const generation = progress.step % 2;
  loadParameters(checkpoint, plan, views, generation);
  for (const [i, moment] of layout.moments.entries()) {
    loadVector(checkpoint, plan.table, views, `moment ${i} `, moment[generation]);
  }
  const carry = layout.regions.find(({ name }) => name === 'snapshot carry') as Region;
  const start = layout.carries[generation];
  checkpoint.readTensor('carry', views.reals.subarray(start, start + carry.length));
  coordinator.generation = progress.step;
  const { bestLoss, savedBestLoss = bestLoss } = progress;
  return { ...progress, savedBestLoss, checkpoint: checkpoint.path };
}

/** Loads the parameters alone, into a generation (0 or 1). Throws InputError where one does not fit. */
export function loadParameters(
  checkpoint: CheckpointFile,
  { table, layout }: Pick<EnginePlan, 'table' | 'layout'>,
  views: ArenaViews,
  generation: number,
): void {
  loadVector(checkpoint, table, views, '', layout.parameters[generation]);
}

function loadVector(
  checkpoint: CheckpointFile,
  table: ParameterTable,
  { reals }: ArenaViews,
  prefix: string,
  offset: number,
): void {
  for (const { name, start, length } of table.parameters) {
    const at = offset + start;
    checkpoint.readTensor(`${prefix}${name}`, reals.subarray(at, at + length));
  }
}

/** Throws InputError where a checkpoint's model is not the one to be computed. */
export function refuseOtherModel({ header, path }: CheckpointFile, spec: ModelSpec): void {
  for (const name of ['cell', 'activation', 'hidden', 'layers', 'embed', 'vocabulary'] as const) {
    const had = header.model[name];
    if (had === spec[name]) continue;
    throw new InputError(
      `Expected ${name} ${had}, as in the checkpoint ${path}, got ${spec[name]}. Use the checkpoint's own sizes.`,
    );
  }
}
