/**
 * What the live page is sent, and what a report holds. Types only.
 *
 * `/events` is a stream of server-sent events: one snapshot, then what happens; a snapshot again where all before is replaced. A
 * client that comes back with Last-Event-ID (or `?lastEventId=`) is sent what it missed where that is still kept, else a
 * snapshot. Ids are opaque: a number behind what tells one process from the next on the same port.
 */
import type { GradientsRecord, LayerGradients, SampleRecord } from '../metrics/records.ts';

/** Name of a server-sent event to its data. */
export interface LiveEvents {
  snapshot: Snapshot;
  /** New stretches of steps: a few times a second, and before whatever else happens. */
  points: Point[];
  /** At the end of a run: its last step again, with the time of what came after it. */
  completed: Point;
  evaluation: EvaluationPoint;
  gradients: GradientsPoint;
  sample: SampleRecord;
  /** All that are active now. */
  alerts: Alert[];
  upkeep: Upkeep;
  state: RunState;
}

/** All that is known of a run. Bounded, however long the run. */
export interface Snapshot {
  run: RunDescription;
  state: RunState;
  /** Ascending; of a long history every point is a stretch of several steps. */
  points: Point[];
  evaluations: EvaluationPoint[];
  gradients: GradientsPoint[];
  samples: SampleRecord[];
  alerts: Alert[];
  upkeep: Upkeep;
}

/** What stays the same for a whole run. While it is `starting`, what is not known yet is 0. */
export interface RunDescription {
  /** Last name of its folder. */
  run: string;
  version: string;
  backend: string;
  variant: string;
  cell: string;
  parameters: number;
  workers: number;
  lanes: number;
  vocabulary: number;
  totalSteps: number;
  stepsPerEpoch: number;
  /** Largest gradient norm allowed; null where it is off. */
  clipNorm: number | null;
  /** Names of the phases, in the order of `Point.phaseSeconds`. */
  phases: string[];
  /** The whole configuration by its flags: `--hidden`, `128`. No paths. */
  settings: { flag: string; value: string }[];
}

/** A stretch of steps: one, or the mean over several. */
export interface Point {
  /** The last of the stretch, and how many it has. */
  step: number;
  steps: number;
  /** Of the run so far. */
  tokens: number;
  /** Unix time of its end, seconds; null in a report, whose logs have none. */
  time: number | null;
  /** Nats a token; null where it was not finite. */
  loss: number | null;
  lowestLoss: number | null;
  highestLoss: number | null;
  /** Before clipping. */
  gradNorm: number | null;
  highestGradNorm: number | null;
  /** Share of the steps that were clipped. */
  clippedShare: number;
  learningRate: number;
  tokensPerSecond: number;
  /** Mean wall time of a step in each phase. */
  phaseSeconds: number[];
  /** Share of the time that each worker was in a task; at most 64 workers. Empty where it is not known. */
  busyShares: number[];
}

export interface EvaluationPoint {
  step: number;
  tokens: number;
  /** Nats a token; null where it was not finite. */
  loss: number | null;
  /** The lowest so far. */
  best: boolean;
}

/** As it is recorded, but null for what was not finite. */
export interface GradientsPoint extends Omit<GradientsRecord, 'layers'> {
  layers: readonly LayerPoint[];
}

export interface LayerPoint
  extends Omit<LayerGradients, 'gradientNorm' | 'updateRatio' | 'normByLag'> {
  gradientNorm: number | null;
  updateRatio: number | null;
  normByLag?: readonly { lag: number; norm: number | null }[];
}

export interface RunState {
  kind: 'starting' | 'training' | 'finished' | 'stopped' | 'failed';
  step: number;
  /** Null before the first step and after the end. */
  secondsLeft: number | null;
  /** Why it failed, or what is amiss though it has ended. */
  message?: string;
}

/** Checkpoints and memory of this process; null for what is not known, such as in a report. */
export interface Upkeep {
  /** The last that was written: when it was complete (Unix seconds), and its size. */
  checkpoint: { time: number; bytes: number } | null;
  /** Checkpoints; those left out because the writer was still busy are `skipped`. */
  counts: { written: number; failed: number; skipped: number } | null;
  residentBytes: number | null;
  arenaBytes: number | null;
}

/** The same names as in the rules for Prometheus. */
export type AlertName =
  | 'ThreadloomNoProgress'
  | 'ThreadloomLossNotFinite'
  | 'ThreadloomLossDiverging'
  | 'ThreadloomGradientsVanishing'
  | 'ThreadloomGradientsExploding'
  | 'ThreadloomStraggler'
  | 'ThreadloomWorkerRestarting'
  | 'ThreadloomLoaderStarving'
  | 'ThreadloomCheckpointStale'
  | 'ThreadloomCheckpointFailing';

export interface Alert {
  name: AlertName;
  severity: 'warning' | 'critical';
  /** Unix time in seconds. */
  since: number;
  /** What is wrong, in one sentence with its limit; it does not change with every step. */
  message: string;
  /** What to do. */
  advice: string;
}
