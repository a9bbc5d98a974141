/** What is kept and told of a run at one moment: the state beside a checkpoint's tensors, and the result at the end. */
import { resolve } from 'node:path';
import type { CheckpointState } from '../checkpoint/header.ts';
import { parametersSha256 } from '../checkpoint/parameters-hash.ts';
import type { LogSizes } from '../checkpoint/run-folder.ts';
import { VERSION } from '../version.ts';
import type { TrainResult } from './reports.ts';
import type { RunProgress } from './run-progress.ts';
import type { TrainingParts } from './training-parts.ts';

export function checkpointState(
  { config, corpus, plan }: TrainingParts,
  progress: RunProgress,
  logBytes: LogSizes,
): CheckpointState {
  const { index } = corpus;
  const { bestLoss, bestCheckpoint } = progress;
  const { backend, variant } = plan.request.kernels;
  const files = (side: typeof index.train) =>
    side.map(({ path, bytes }) => ({ path: resolve(path), bytes }));
  return {
    threadloom: VERSION,
    model: plan.request.spec,
    config: JSON.parse(JSON.stringify(config)),
    tokens: index.tokens,
    vocabulary: index.vocabulary,
    backend,
    variant,
    optimizer: config.optimizer,
    progress: {
      step: progress.step,
      epoch: progress.epoch,
      chunk: progress.chunkOf(progress.step),
      tokens: progress.tokens,
      elapsedSeconds: progress.elapsedSeconds,
      lastLoss: progress.lastLoss,
      bestLoss,
      ...(bestCheckpoint.loss !== bestLoss && { savedBestLoss: bestCheckpoint.loss }),
      lastEvalLoss: progress.lastEvalLoss,
      evaluatedStep: progress.evaluatedStep,
      sampledStep: progress.sampledStep,
      finished: progress.complete,
      logBytes,
    },
    corpus: {
      sha256: index.sha256,
      trainSymbols: index.trainSymbols,
      valSymbols: index.valSymbols,
      train: files(index.train),
      val: files(index.val),
    },
  };
}

/** What only the loop knows of its end. */
export interface RunEnd {
  /** Over the time spent in steps. */
  tokensPerSecond: number;
  interrupted: boolean;
  failures: string[];
}

export function trainResult(
  { config, plan, shape, engine, folder, baseBytes }: TrainingParts,
  progress: RunProgress,
  end: RunEnd,
): TrainResult {
  const { backend, variant } = plan.request.kernels;
  const evalLoss = progress.lastEvalLoss;
  return {
    run: folder.path,
    backend,
    variant,
    workers: config.workers,
    lanes: plan.lanes.length,
    parameters: plan.table.count,
    steps: progress.step,
    epochs: progress.step / shape.training.chunks,
    tokens: progress.tokens,
    seconds: progress.processSeconds,
    trainLoss: progress.lastLoss,
    evalLoss,
    bestEvalLoss: progress.bestLoss,
    bitsPerToken: evalLoss === null ? null : evalLoss / Math.LN2,
    perplexity: evalLoss === null ? null : Math.exp(evalLoss),
    paramsSha256: parametersSha256(plan.table, engine.coordinator.parameters),
    checkpoint: progress.newestCheckpoint,
    plannedBytes: baseBytes + plan.arenaBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    ...end,
  };
}
