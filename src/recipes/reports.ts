/** What a run tells about itself while it goes on and at its end. Types only. */
import type { Config } from '../config/config.ts';

/** Known before the first step. */
export interface RunPlan {
  config: Config;
  /** Folder of the run. */
  run: string;
  backend: string;
  variant: string;
  /** Why the native kernels were not taken, where they were to be had automatically. */
  notNative?: string;
  workers: number;
  lanes: number;
  parameters: number;
  vocabulary: number;
  /** Ids of the training and the validation text. */
  trainSymbols: number;
  valSymbols: number;
  stepsPerEpoch: number;
  /** Steps in all, and steps done already (resume). */
  totalSteps: number;
  firstStep: number;
  arenaBytes: number;
  /** Resident memory of Node.js and its threads: measured before the arena is filled, and what it grows by. */
  baseBytes: number;
  /** Bytes of the arena by what they are for. */
  memory: ReadonlyMap<string, number>;
  /** Where the live page and the metrics are served; absent where they are not. */
  pageUrl?: string;
  metricsUrl?: string;
}

/** A line of steps.ndjson, and what of the step is not reproducible. */
export interface StepReport {
  /** Steps done, this one included. */
  step: number;
  /** From 1. */
  epoch: number;
  /** Tokens of the run so far. */
  tokens: number;
  /** Nats a token. */
  loss: number;
  /** Of the mean gradient before clipping. */
  gradNorm: number;
  clipScale: number;
  lr: number;
  totalSteps: number;
  seconds: number;
  /** Over about the last second. */
  tokensPerSecond: number;
  /** Until the last step or the time limit, at this rate. */
  secondsLeft: number;
}

export interface EvaluationReport {
  /** Steps done. */
  step: number;
  epoch: number;
  /** Tokens trained on so far. */
  tokens: number;
  /** Nats a token. */
  loss: number;
  best: boolean;
  seconds: number;
}

export interface CheckpointReport {
  step: number;
  path: string;
  bytes: number;
  seconds: number;
}

export interface TrainResult {
  /** Folder of the run. */
  run: string;
  backend: string;
  variant: string;
  workers: number;
  lanes: number;
  parameters: number;
  /** Of the whole run, over all resumes; seconds and tokensPerSecond of this process. */
  steps: number;
  epochs: number;
  tokens: number;
  seconds: number;
  /** Over the time spent in steps. */
  tokensPerSecond: number;
  /** Loss of the last step, nats a token; null before the first. */
  trainLoss: number | null;
  /** Of the last validation, nats a token; null without validation text. */
  evalLoss: number | null;
  bestEvalLoss: number | null;
  bitsPerToken: number | null;
  perplexity: number | null;
  /** SHA-256 over the parameters in table order, little-endian float32. */
  paramsSha256: string;
  /** Newest checkpoint. */
  checkpoint: string | null;
  /** Resident memory of the process: the plan before training (base and arena), and the most it ever had. */
  plannedBytes: number;
  peakBytes: number;
  /** Stopped by its signal before the end. */
  interrupted: boolean;
  /** What could not be written; empty where all went well. */
  failures: string[];
}

/** Text drawn from the model as it trains. */
export interface SampleReport {
  /** Steps done. */
  step: number;
  text: string;
}

export interface TrainObserver {
  onPlan?(plan: RunPlan): void;
  onStep?(step: StepReport): void;
  onEvaluation?(evaluation: EvaluationReport): void;
  onSample?(sample: SampleReport): void;
  onCheckpoint?(checkpoint: CheckpointReport): void;
  /** One sentence that the user should read. */
  onWarning?(message: string): void;
}
