/** The public API of Threadloom: what the commands call. */
export type { Config, Settings, Surroundings } from './config/config.ts';
export type { EvaluateSettings, SampleSettings } from './config/model-use-settings.ts';
export { InputError, ThreadloomError, TrainingError } from './errors.ts';
export { type EvaluateOptions, type EvaluateResult, evaluate } from './evaluate.ts';
export { type Inspection, inspect } from './inspect.ts';
export type {
  CheckpointReport,
  EvaluationReport,
  RunPlan,
  StepReport,
  TrainObserver,
  TrainResult,
} from './reports.ts';
export { type SampleOptions, type SampleResult, sample } from './sample.ts';
export { type ResumeSettings, resume, type TrainOptions, train } from './train.ts';
export { VERSION } from './version.ts';
