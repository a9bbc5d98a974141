/** What a training recipe hands to its metrics, and what it gets back. Types only. */
import type { Phase } from './definitions.ts';

/** What stays the same for a whole run. */
export interface RunRecord {
  cell: string;
  backend: string;
  /** Variant of the backend, such as relaxed SIMD; empty where it has none. */
  variant: string;
  /** Version of Threadloom. */
  version: string;
  arenaBytes: number;
}

/** One committed step: a line of steps.ndjson, and what of it is not reproducible. */
export interface StepRecord {
  step: number;
  epoch: number;
  /** Tokens of this step alone. */
  tokens: number;
  /** Nats a token. */
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** 1 where the gradient was not clipped by its norm. */
  clipScale: number;
  lr: number;
  tokensPerSecond: number;
  /** Wall time of the phases that this step had. */
  phaseSeconds: Readonly<Partial<Record<Phase, number>>>;
}

export interface EvaluationRecord {
  /** Nats a token. */
  loss: number;
  /** Lowest loss of the run, this validation included. */
  bestLoss: number;
  seconds: number;
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
  secondsSinceStep: number | null;
}
