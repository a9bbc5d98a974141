/** What a training recipe hands to all who record it: metrics, live page. Types only. */
import type { Phase } from './catalogue.ts';

/** Told of what happened to one run, in order, within a moment. Takes no more than microseconds, and throws nothing. */
export interface Recorder {
  /** Before the first step. */
  recordRun(run: RunRecord): void;
  recordStep(step: StepRecord): void;
  /** A validation begins: until its end no step is done. */
  recordEvaluationBegin(): void;
  recordEvaluation(evaluation: EvaluationRecord): void;
  recordGradients(gradients: GradientsRecord): void;
  recordSample(sample: SampleRecord): void;
  /** Time of what is not part of a step: a snapshot, the gradients, a sample. */
  recordPhase(phase: Phase, seconds: number): void;
  recordPool(pool: PoolRecord): void;
  recordCheckpoint(checkpoint: CheckpointRecord): void;
  recordCheckpointFailure(): void;
  recordCheckpointSkipped(): void;
  recordPendingLogs(bytes: number): void;
  /** A step was refused because its loss or gradient was not finite. */
  recordNotFinite(): void;
  /** The run ends with an error, or with something that it could not write. */
  recordFailure(): void;
  /** After the last step, whatever the reason; its values are served on for a while. */
  recordEnd(): void;
}

/** What stays the same for a whole run. */
export interface RunRecord {
  cell: string;
  hidden: number;
  layers: number;
  /** N, T and S */
  batch: number;
  chunk: number;
  lanes: number;
  optimizer: string;
  backend: string;
  /** Variant of the backend, such as relaxed SIMD; empty where it has none. */
  variant: string;
  /** Version of Threadloom. */
  version: string;
  workers: number;
  /** Step after which the run ends. */
  totalSteps: number;
  /** Largest gradient norm allowed; 0: off. */
  clipNorm: number;
  /** Floating-point operations of training on one token. */
  flopsPerToken: number;
  /** What all workers can do, operations a second; undefined where it was not measured. */
  peakFlops?: number;
  /** Chunks that the ring holds. */
  ringSlots: number;
  /** Bytes of the arena by what they are for. */
  arenaBytes: ReadonlyMap<string, number>;
}

/** One committed step: a line of steps.ndjson, and what of it is not reproducible. */
export interface StepRecord {
  step: number;
  epoch: number;
  /** Of the run so far, and of this step alone. */
  tokens: number;
  stepTokens: number;
  /** Nats a token. */
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** 1 where the gradient was not clipped by its norm. */
  clipScale: number;
  lr: number;
  tokensPerSecond: number;
  /** To the end of the run at this rate. */
  secondsLeft: number;
  /** Wall time of the phases that this step had. */
  phaseSeconds: Readonly<Partial<Record<Phase, number>>>;
  /** The tasks of each phase that has any. */
  tasks: Readonly<Partial<Record<Phase, readonly TaskRecord[]>>>;
  /** Totals as `PoolRecord` has them, up to the step's end; of the first workers, as many as are shown. */
  busySeconds: readonly number[];
  /** Chunks in the ring at the step's end, its own included. */
  ringFilled: number;
  /** By the loader since the process began. */
  bytesRead: number;
}

export interface TaskRecord {
  /** From being handed out until its thread began it. */
  waitSeconds: number;
  seconds: number;
}

export interface EvaluationRecord {
  /** Steps done. */
  step: number;
  /** Nats a token. */
  loss: number;
  /** Lowest loss of the run, this validation included; NaN where none was finite. */
  bestLoss: number;
  seconds: number;
}

/** How gradients flow through the layers, every `--gradients-every` steps: a line of gradients.ndjson. */
export interface GradientsRecord {
  /** Steps done. */
  step: number;
  /** Embedding, recurrent layers from the lowest, head. */
  layers: readonly LayerGradients[];
}

export interface LayerGradients {
  /** `embedding`, `0` … `L-1`, `head` */
  layer: string;
  /** Norm of the layer's part of the mean gradient, before clipping. */
  gradientNorm: number;
  /** ‖update‖ / ‖weights‖ of the step. */
  updateRatio: number;
  /**
   * Recurrent layers only: ‖∂ℓ/∂h₍T−k₎‖ for the loss ℓ of the chunk's last time step, root mean square over the streams of one
   * lane; one value a bucket of lags, [0], [1], [2, 3], [4 … 7] …, the mean over its lags.
   */
  normByLag?: readonly { lag: number; norm: number }[];
  /** Recurrent layers only: share of a gate's activations within 0.05 of a bound of its nonlinearity. */
  saturation?: readonly { gate: string; share: number }[];
}

/** Text drawn from the model as it trains: a line of samples.ndjson. */
export interface SampleRecord {
  /** Steps done. */
  step: number;
  text: string;
}

/** The pool's own totals since its start; may be handed over at any time. */
export interface PoolRecord {
  /** Worker threads alive now. */
  workers: number;
  restarts: number;
  repeatedTasks: number;
  /** Threads of each actor that died and were replaced. */
  actorRestarts: Readonly<Record<string, number>>;
  /** By worker: 0 to W−1, a restarted thread in the place of the old one. */
  busySeconds: readonly number[];
}

export interface CheckpointRecord {
  bytes: number;
  seconds: number;
}

/** Whether the run goes on; null before the first step. */
export interface Health {
  step: number | null;
  /** When it ended, in Unix seconds. */
  stepTime: number | null;
  secondsSinceStep: number | null;
}
