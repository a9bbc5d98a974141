/** What a run or a checkpoint is: read, never written. */
import { openTarget } from '../checkpoint/finder.ts';
import type { CheckpointState } from '../checkpoint/header.ts';
import { ParameterTable } from '../model/parameters.ts';

export interface Inspection {
  checkpoint: string;
  bytes: number;
  /** Version of Threadloom that wrote it. */
  threadloom: string;
  model: CheckpointState['model'];
  parameters: { name: string; shape: number[]; count: number }[];
  parameterCount: number;
  backend: string;
  variant: string;
  optimizer: string;
  step: number;
  epoch: number;
  tokens: number;
  trainLoss: number | null;
  evalLoss: number | null;
  bestEvalLoss: number | null;
  finished: boolean;
  corpus: CheckpointState['corpus'];
  config: CheckpointState['config'];
  warnings: string[];
}

/** Throws InputError where there is no run and no valid checkpoint. */
export function inspect(target: string): Inspection {
  const { checkpoint, warnings } = openTarget(target);
  try {
    const { path, bytes, header } = checkpoint;
    const { progress } = header;
    const table = new ParameterTable(header.model);
    return {
      checkpoint: path,
      bytes,
      threadloom: header.threadloom,
      model: header.model,
      parameters: table.parameters.map(({ name, shape, length }) => ({
        name,
        shape: [...shape],
        count: length,
      })),
      parameterCount: table.count,
      backend: header.backend,
      variant: header.variant,
      optimizer: header.optimizer,
      step: progress.step,
      epoch: progress.epoch,
      tokens: progress.tokens,
      trainLoss: progress.lastLoss,
      evalLoss: progress.lastEvalLoss,
      bestEvalLoss: progress.bestLoss,
      finished: progress.finished,
      corpus: header.corpus,
      config: header.config,
      warnings,
    };
  } finally {
    checkpoint.close();
  }
}
