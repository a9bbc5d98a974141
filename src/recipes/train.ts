/**
 * The recipe of a run, from settings to result: plans it, starts its threads, and gives what they are to the loop that trains
 * (training-loop.ts). What happens in a run is told by run-telemetry.ts.
 */
import type { Readable } from 'node:stream';
import { openTarget } from '../checkpoint/finder.ts';
import { openResumable } from '../checkpoint/resumable.ts';
import { RunFolder } from '../checkpoint/run-folder.ts';
import { type Config, refuseMeaningless, resolveConfig, type Settings } from '../config/config.ts';
import { planEngine, startEngine } from '../coordinator/engine.ts';
import { MAX_STEPS_AT_ONCE } from '../coordinator/step-tasks.ts';
import { type Corpus, openCorpus } from '../data/corpus.ts';
import { InputError } from '../errors.ts';
import { chooseKernels } from '../kernels/backend.ts';
import { readRunLogs } from '../live/run-logs.ts';
import { freeMemoryBytes, HEAP_GROWTH_BYTES, surroundings } from '../machine.ts';
import { PHASES } from '../metrics/catalogue.ts';
import { VERSION } from '../version.ts';
import { refuseUsedUpTime, reportPlan, warnAbout, warnOfDrawing } from './plan-report.ts';
import type { TrainObserver, TrainResult } from './reports.ts';
import { loadState, modelSettings, refuseOtherModel } from './restore.ts';
import { type ResumeSettings, resumedConfig } from './resumed-config.ts';
import { describeRun } from './run-description.ts';
import { modelSpec, planRun } from './run-plan.ts';
import { runRecord } from './run-record.ts';
import {
  corpusRequest,
  createFolder,
  initialize,
  refuseOtherCorpus,
  refuseOtherTokens,
  type Start,
} from './run-start.ts';
import { TrainingLoop } from './training-loop.ts';
import { Watching } from './watching.ts';

export interface TrainOptions extends TrainObserver {
  /** Aborting it finishes the steps given out, writes a checkpoint and returns a result with `interrupted`. */
  signal?: AbortSignal;
  /**
   * At most so many steps are given out at once, and then told of one after another; up to 4 where they are short, unless told. With 1
   * a run whose signal is aborted in `onStep` ends with that step.
   */
  stepsAtOnce?: number;
  /** What the file `-` stands for. */
  stdin?: Readable;
}

/** What the type does not say. */
function refuseWrong({ stepsAtOnce }: TrainOptions): void {
  if (stepsAtOnce === undefined) return;
  if (Number.isInteger(stepsAtOnce) && stepsAtOnce >= 1) return;
  throw new InputError(
    `Expected the option stepsAtOnce to be a whole number from 1, got ${stepsAtOnce}.`,
  );
}

function noFiles({ val }: Config): string {
  const help =
    val.length > 1
      ? `All of ${val.join(', ')} went to --val: put the files to train on before it.`
      : 'Start with: threadloom train README.md --steps 200 --batch 8 --chunk 32 (or - for standard input).';
  return `Expected at least one text file to train on, got none. ${help}`;
}

/**
 * Starts a run and trains it to its end. Throws InputError for settings or files that cannot work, before anything is
 * written; TrainingError for a run that could not go on, whose last checkpoint is then valid.
 */
export async function train(settings: Settings, options: TrainOptions = {}): Promise<TrainResult> {
  refuseWrong(options);
  const from = settings.from === undefined ? undefined : openTarget(String(settings.from));
  try {
    for (const warning of from?.warnings ?? []) options.onWarning?.(warning);
    const model = from && modelSettings(from.checkpoint.header, settings);
    const config = resolveConfig({ ...model, ...settings }, surroundings());
    refuseMeaningless(config);
    if (from) refuseOtherTokens(from, config);
    if (config.files.length === 0) throw new InputError(noFiles(config));
    if (from) warnOfDrawing(settings, options);
    RunFolder.refuseExisting(config.run, config.force);
    return await run(config, options, { from });
  } finally {
    from?.checkpoint.close();
  }
}

/**
 * Goes on with a run from its newest valid checkpoint, to the bits of a run that was never stopped. Throws as `train`, and
 * InputError where the run, its checkpoints or its text are not what they were, or where another process trains it.
 */
export async function resume(
  path: string,
  settings: ResumeSettings = {},
  options: TrainOptions = {},
): Promise<TrainResult> {
  refuseWrong(options);
  const folder = RunFolder.open(path);
  try {
    return await resumeIn(folder, path, settings, options);
  } finally {
    folder.close();
  }
}

async function resumeIn(
  folder: RunFolder,
  path: string,
  settings: ResumeSettings,
  options: TrainOptions,
): Promise<TrainResult> {
  const config = resumedConfig(folder.readConfig(), path, settings, options);
  const restored = openResumable(folder);
  for (const warning of restored.warnings) options.onWarning?.(warning);
  try {
    return await run(config, options, { restored, folder, totals: settings });
  } finally {
    restored.checkpoint.close();
  }
}

async function run(config: Config, options: TrainOptions, start: Start): Promise<TrainResult> {
  const { stdin, signal } = options;
  const watching = await Watching.start(config, options);
  let corpus: Corpus | undefined;
  try {
    const watched = { limitSeconds: config.workerTimeout, onWarning: warnTo(options) };
    corpus = await openCorpus(corpusRequest(config, start), { stdin, signal, ...watched });
    const result = await trainOn(corpus, config, options, start, watching);
    await watching.end(result, signal);
    return result;
  } catch (error) {
    await watching.fail(error, signal);
    throw error;
  } finally {
    await corpus?.close();
    await watching.close();
  }
}

async function trainOn(
  corpus: Corpus,
  config: Config,
  options: TrainOptions,
  start: Start,
  watching: Watching,
): Promise<TrainResult> {
  const { from, restored, folder: opened, totals } = start;
  if (restored) refuseOtherCorpus(restored, corpus);
  const kernels = chooseKernels(config.backend);
  const spec = modelSpec(config, corpus.index.vocabulary.length);
  const shape = planRun(config, corpus.index, totals);
  refuseUsedUpTime(config, start, shape);
  const plan = planEngine(
    {
      spec,
      kernels,
      times: config.chunk,
      workers: config.workers,
      evaluationStreams: shape.evaluation?.plan.streams ?? 0,
      training: { streams: config.batch, lanes: config.lanes, optimizer: config, init: config },
    },
    freeMemoryBytes(),
  );
  for (const source of [from, restored]) {
    if (source) refuseOtherModel(source.checkpoint, spec);
  }
  warnAbout(config, plan, shape, restored, options);
  const bytesBefore = process.memoryUsage.rss();
  const engine = await startEngine(plan, {
    limitSeconds: config.workerTimeout,
    onWarning: warnTo(options),
  });
  const baseBytes = residentWhileTraining(bytesBefore, config.workers);
  let folder = opened;
  try {
    folder ??= await createFolder(config, corpus);
    opened?.removeTemporaryFiles();
    await corpus.loader.calls.use(corpus.index, engine.memory);
    const progress = restored
      ? loadState(restored.checkpoint, plan, engine)
      : await initialize(engine, plan, from);
    // While it is open its room is not free, though the run may have removed it.
    (restored ?? from)?.checkpoint.close();
    const loop = new TrainingLoop({
      config,
      corpus,
      shape,
      plan,
      engine,
      folder,
      recorder: watching.recorder,
      progress,
      observer: options,
      mostAtOnce: options.stepsAtOnce ?? MAX_STEPS_AT_ONCE,
      baseBytes,
      serverRestarts: () => watching.server?.restarts ?? 0,
    });
    try {
      watching.recorder.recordRun(await runRecord(config, plan, shape, engine));
      const told = reportPlan(
        config,
        corpus,
        plan,
        shape,
        progress.step,
        baseBytes,
        watching.server?.address,
      );
      options.onPlan?.(told);
      await watching.begin(
        describeRun(config, { ...told, version: VERSION }),
        restored && (() => readRunLogs(folder!.path, PHASES, progress.logBytes)),
      );
      return await loop.run(options.signal);
    } finally {
      await loop.close();
    }
  } finally {
    await engine.pool.close();
    folder?.close();
  }
}

/**
 * What is resident now, a thread more of the size of a worker's, for the checkpoint writer is still to come, and what the heap
 * of the main thread grows by.
 */
function residentWhileTraining(bytesBeforeWorkers: number, workers: number): number {
  const now = process.memoryUsage.rss();
  return now + Math.max(0, now - bytesBeforeWorkers) / workers + HEAP_GROWTH_BYTES;
}

function warnTo(observer: TrainObserver): (message: string) => void {
  return (message) => observer.onWarning?.(message);
}
