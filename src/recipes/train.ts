/**
 * The recipe of a run, from settings to result: the only file that knows every stage. Stages return results; what they
 * returned goes to logs, metrics and observers here.
 */
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { type FoundCheckpoint, openTarget } from '../checkpoint/finder.ts';
import { openResumable } from '../checkpoint/resumable.ts';
import { RunFolder } from '../checkpoint/run-folder.ts';
import { type Config, resolveConfig, type Settings, trainSettings } from '../config/config.ts';
import { type Engine, type EnginePlan, planEngine, startEngine } from '../coordinator/engine.ts';
import { memoryPlan } from '../coordinator/layout.ts';
import { type Corpus, openCorpus } from '../data/corpus.ts';
import { expected, InputError, messageOf, TrainingError } from '../errors.ts';
import { chooseKernels, whyNotNative } from '../kernels/backend.ts';
import { readRunLogs } from '../live/run-logs.ts';
import { freeMemoryBytes, surroundings } from '../machine.ts';
import { PHASES } from '../metrics/catalogue.ts';
import type { MetricsServer } from '../metrics/server.ts';
import { VERSION } from '../version.ts';
import type { RunPlan, TrainObserver, TrainResult } from './reports.ts';
import {
  loadParameters,
  loadState,
  modelSettings,
  NO_PROGRESS,
  type Progress,
  refuseOtherModel,
} from './restore.ts';
import { describeRun } from './run-description.ts';
import { modelSpec, planRun, type RunShape } from './run-plan.ts';
import { runRecord } from './run-record.ts';
import { TrainingLoop } from './training-loop.ts';
import { Watching } from './watching.ts';

export interface TrainOptions extends TrainObserver {
  /** Aborting it finishes the step, writes a checkpoint and returns a result with `interrupted`. */
  signal?: AbortSignal;
  /** What the file `-` stands for. */
  stdin?: Readable;
}

const NO_FILES =
  'Expected at least one text file to train on, got none. ' +
  'Start with: threadloom train README.md --steps 200 --batch 8 --chunk 32 (or - for standard input).';

/** What `resume` may change; everything else stands in the run's configuration. */
export type ResumeSettings = Pick<
  Settings,
  | 'workers'
  | 'workerTimeout'
  | 'steps'
  | 'epochs'
  | 'metrics'
  | 'metricsPort'
  | 'metricsHost'
  | 'metricsAllowedHosts'
  | 'metricsLinger'
>;

/**
 * Starts a run and trains it to its end. Throws InputError for settings or files that cannot work, before anything is
 * written; TrainingError for a run that could not go on, whose last checkpoint is then valid.
 */
export async function train(settings: Settings, options: TrainOptions = {}): Promise<TrainResult> {
  const from = settings.from === undefined ? undefined : openTarget(String(settings.from));
  try {
    for (const warning of from?.warnings ?? []) options.onWarning?.(warning);
    const model = from && modelSettings(from.checkpoint.header, settings);
    const config = resolveConfig({ ...model, ...settings }, surroundings());
    if (from) refuseOtherTokens(from, config);
    if (config.files.length === 0) throw new InputError(NO_FILES);
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
  const configured = resolveConfig(folder.readConfig(), surroundings());
  const { steps, epochs, ...overrides } = settings;
  trainSettings.parse({ steps, epochs });
  const given = Object.fromEntries(
    Object.entries(overrides).filter(([, value]) => value !== undefined),
  );
  const off = { metricsPort: undefined, metricsAllowedHosts: undefined };
  const config = resolveConfig(
    { ...configured, ...(settings.metrics === false && off), ...given, run: path },
    surroundings(),
  );
  const restored = openResumable(folder);
  for (const warning of restored.warnings) options.onWarning?.(warning);
  try {
    return await run(config, options, { restored, folder, totals: { steps, epochs } });
  } finally {
    restored.checkpoint.close();
  }
}

/** Where the run starts: anew, with the weights of another, or where it stopped. */
interface Start {
  from?: FoundCheckpoint;
  restored?: FoundCheckpoint;
  folder?: RunFolder;
  /** Totals that replace the configured ones, while the schedule keeps its horizon. */
  totals?: Pick<Settings, 'steps' | 'epochs'>;
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
  { from, restored, folder: opened, totals }: Start,
  watching: Watching,
): Promise<TrainResult> {
  if (restored) refuseOtherCorpus(restored, corpus);
  const kernels = chooseKernels(config.backend);
  const spec = modelSpec(config, corpus.index.vocabulary.length);
  const shape = planRun(config, corpus.index, totals);
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
  warnAbout(config, plan, restored, options);
  const engine = await startEngine(plan, {
    limitSeconds: config.workerTimeout,
    onWarning: warnTo(options),
  });
  let folder = opened;
  try {
    folder ??= await createFolder(config, corpus);
    opened?.removeTemporaryFiles();
    await corpus.loader.calls.use(corpus.index, engine.memory);
    const progress = restored
      ? loadState(restored.checkpoint, plan, engine)
      : await initialize(engine, plan, from);
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
    });
    watching.recorder.recordRun(await runRecord(config, plan, shape, engine));
    const told = describe(config, corpus, plan, shape, progress.step, watching.server);
    options.onPlan?.(told);
    await watching.begin(
      describeRun(config, { ...told, version: VERSION }),
      restored && (() => readRunLogs(folder!.path, PHASES, progress.logBytes)),
    );
    return await loop.run(options.signal);
  } finally {
    await engine.pool.close();
    folder?.close();
  }
}

function corpusRequest(config: Config, { from, restored }: Start) {
  const header = (restored ?? from)?.checkpoint.header;
  return {
    trainPaths: [...config.files],
    valPaths: [...config.val],
    tokens: header?.tokens ?? config.tokens,
    vocabulary: header?.vocabulary,
    run: config.run,
  };
}

async function createFolder(config: Config, corpus: Corpus): Promise<RunFolder> {
  const folder = RunFolder.create(config.run, config.force, config.files);
  try {
    corpus.placeSpooled(folder.corpus);
    const { train, val } = corpus.index;
    folder.begin({
      ...config,
      files: train.map(({ path }) => resolve(path)),
      val: val.map(({ path }) => resolve(path)),
      force: false,
    });
    await corpus.moveSpooled();
    return folder;
  } catch (error) {
    folder.remove();
    const message = `The run folder ${config.run} could not be filled: ${messageOf(error)}`;
    throw new TrainingError(message, {}, { cause: error });
  }
}

/** Parameters of generation 0: drawn from the seed, or those of another run. */
async function initialize(
  engine: Engine,
  plan: EnginePlan,
  from: FoundCheckpoint | undefined,
): Promise<Progress> {
  if (from) loadParameters(from.checkpoint, plan, engine.views, 0);
  else await engine.coordinator.initialize();
  return NO_PROGRESS;
}

function refuseOtherTokens({ checkpoint }: FoundCheckpoint, config: Config): void {
  const { tokens } = checkpoint.header;
  if (tokens === config.tokens) return;
  throw new InputError(
    expected(
      `--tokens ${tokens}, as in the checkpoint ${checkpoint.path}`,
      config.tokens,
      'Leave it out.',
    ),
  );
}

function refuseOtherCorpus({ checkpoint }: FoundCheckpoint, { index }: Corpus): void {
  const { sha256 } = checkpoint.header.corpus;
  if (sha256 === index.sha256) return;
  throw new InputError(
    expected(
      `the text the run was started with (SHA-256 ${sha256.slice(0, 12)}…)`,
      `${index.sha256.slice(0, 12)}…`,
      'Restore the files, or start a new run on the changed text with --from.',
    ),
  );
}

function warnTo(observer: TrainObserver): (message: string) => void {
  return (message) => observer.onWarning?.(message);
}

function warnAbout(
  config: Config,
  plan: EnginePlan,
  restored: FoundCheckpoint | undefined,
  { onWarning }: TrainOptions,
): void {
  const { cores } = surroundings();
  const { variant } = plan.request.kernels;
  if (config.workers > cores) {
    onWarning?.(
      `--workers ${config.workers} is more than the ${cores} cores this process may use; expect no gain.`,
    );
  }
  if (config.workers > plan.shards.length) {
    onWarning?.(
      `${config.workers - plan.shards.length} of ${config.workers} workers stay idle in the compute phase: there are ${config.lanes} lanes (--lanes).`,
    );
  }
  if (restored && restored.checkpoint.header.variant !== variant) {
    onWarning?.(
      `The checkpoint was written with kernels ${restored.checkpoint.header.variant}; going on with ${variant}, equal to rounding but not to the bit.`,
    );
  }
}

function describe(
  config: Config,
  { index }: Corpus,
  plan: EnginePlan,
  shape: RunShape,
  firstStep: number,
  server: MetricsServer | undefined,
): RunPlan {
  const { backend, variant } = plan.request.kernels;
  return {
    config,
    run: config.run,
    backend,
    variant,
    notNative: config.backend === 'auto' && backend === 'wasm' ? whyNotNative() : undefined,
    workers: config.workers,
    lanes: plan.lanes.length,
    parameters: plan.table.count,
    vocabulary: index.vocabulary.length,
    trainSymbols: shape.training.count,
    valSymbols: shape.evaluation?.plan.count ?? 0,
    stepsPerEpoch: shape.training.chunks,
    totalSteps: shape.totalSteps,
    firstStep,
    arenaBytes: plan.arenaBytes,
    baseBytes: process.memoryUsage.rss(),
    memory: memoryPlan(plan.layout),
    metricsUrl: server && `${server.url}/metrics`,
  };
}
