/** The public API of Threadloom: what the commands call. */
export type { Config, Settings, Surroundings } from './config/config.ts';
export type { EvaluateSettings, SampleSettings } from './config/model-use-settings.ts';
export { InputError, ThreadloomError, TrainingError } from './errors.ts';
export { type EvaluateOptions, type EvaluateResult, evaluate } from './recipes/evaluate.ts';
export { type Inspection, inspect } from './recipes/inspect.ts';
export { type ReportOptions, type ReportResult, report } from './recipes/report.ts';
export type {
  CheckpointReport,
  EvaluationReport,
  RunPlan,
  SampleReport,
  StepReport,
  TrainObserver,
  TrainResult,
} from './recipes/reports.ts';
export type { ResumeSettings } from './recipes/resumed-config.ts';
export { type SampleOptions, type SampleResult, sample } from './recipes/sample.ts';
export { resume, type TrainOptions, train } from './recipes/train.ts';
export { VERSION } from './version.ts';
