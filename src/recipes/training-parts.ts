/** What a run is made of once its engine has started. Types only. */
import type { RunFolder } from '../checkpoint/run-folder.ts';
import type { Config } from '../config/config.ts';
import type { Engine, EnginePlan } from '../coordinator/engine.ts';
import type { Corpus } from '../data/corpus.ts';
import type { Recorder } from '../metrics/records.ts';
import type { TrainObserver } from './reports.ts';
import type { Progress } from './restore.ts';
import type { RunShape } from './run-plan.ts';

export interface TrainingParts {
  config: Config;
  corpus: Corpus;
  shape: RunShape;
  plan: EnginePlan;
  engine: Engine;
  folder: RunFolder;
  recorder: Recorder;
  observer: TrainObserver;
  /** Steps that are given out at once. */
  mostAtOnce: number;
  /** Resident memory of Node.js and its threads: measured before the arena is filled, and what it grows by. */
  baseBytes: number;
  /** Threads that served the metrics, died and were replaced. */
  serverRestarts: () => number;
  progress: Progress;
}
