/** The loss of a trained model on a text. */

import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { type FoundCheckpoint, openTarget } from '../checkpoint/finder.ts';
import { parametersSha256 } from '../checkpoint/parameters-hash.ts';
import { findMoved } from '../checkpoint/run-folder.ts';
import { resolveConfig } from '../config/config.ts';
import { type EvaluateSettings, evaluateSettings } from '../config/model-use-settings.ts';
import { planEngine, startEngine } from '../coordinator/engine.ts';
import { evaluateStreams } from '../coordinator/evaluation.ts';
import { type Corpus, openCorpus } from '../data/corpus.ts';
import { planEvaluation } from '../data/streams.ts';
import { expected, InputError } from '../errors.ts';
import { chooseKernels } from '../kernels/backend.ts';
import { freeMemoryBytes, surroundings } from '../machine.ts';
import type { StreamsRequest } from '../pool/actor-protocol.ts';
import type { PoolOptions } from '../pool/crew.ts';
import { loadParameters } from './restore.ts';
import { planRun } from './run-plan.ts';

export interface EvaluateOptions {
  signal?: AbortSignal;
  /** What the file `-` stands for. */
  stdin?: Readable;
  onWarning?(message: string): void;
}

export interface EvaluateResult {
  checkpoint: string;
  /** Steps the model was trained for. */
  step: number;
  backend: string;
  variant: string;
  workers: number;
  /** Targets that were scored. */
  tokens: number;
  /** Nats a token. */
  loss: number;
  bitsPerToken: number;
  perplexity: number;
  seconds: number;
  paramsSha256: string;
}

/**
 * Scores a run (its newest checkpoint) or a checkpoint on files, or on the validation text of its own run where `files` is
 * empty. Throws InputError for settings, files or a checkpoint that cannot work, characters outside the vocabulary
 * among them, and the signal's reason when it aborts.
 */
export async function evaluate(
  target: string,
  files: readonly string[],
  settings: EvaluateSettings = {},
  options: EvaluateOptions = {},
): Promise<EvaluateResult> {
  const config = evaluateSettings.parse(settings);
  const found = openTarget(target);
  for (const warning of found.warnings) options.onWarning?.(warning);
  let corpus: Corpus | undefined;
  try {
    const { stdin, signal } = options;
    const watched: PoolOptions = {
      limitSeconds: config.workerTimeout,
      onWarning: (message) => options.onWarning?.(message),
    };
    corpus = await openCorpus(corpusRequest(found, files), { stdin, signal, ...watched });
    return await score(found, corpus, files.length === 0, config, watched, signal);
  } finally {
    await corpus?.close();
    found.checkpoint.close();
  }
}

function corpusRequest({ checkpoint }: FoundCheckpoint, files: readonly string[]) {
  const { tokens, vocabulary, corpus } = checkpoint.header;
  const own = files.length === 0;
  const run = dirname(dirname(checkpoint.path));
  const found = (side: typeof corpus.train) => side.map(({ path }) => findMoved(run, path));
  return {
    trainPaths: own ? found(corpus.train) : [...files],
    valPaths: own ? found(corpus.val) : [],
    tokens,
    vocabulary,
  };
}

async function score(
  { checkpoint }: FoundCheckpoint,
  corpus: Corpus,
  own: boolean,
  config: ReturnType<typeof evaluateSettings.parse>,
  watched: PoolOptions,
  signal?: AbortSignal,
): Promise<EvaluateResult> {
  const text = own ? ownValidation(checkpoint, corpus) : wholeText(corpus);
  const plan = planEvaluation(text.count, config.evalStreams, config.chunk);
  const kernels = chooseKernels(config.backend);
  const workers = config.workers ?? surroundings().cores;
  const enginePlan = planEngine(
    {
      spec: checkpoint.header.model,
      times: Math.min(config.chunk, plan.length),
      workers,
      kernels,
      evaluationStreams: plan.streams,
    },
    freeMemoryBytes(),
  );
  const engine = await startEngine(enginePlan, watched);
  try {
    await corpus.loader.calls.use(corpus.index, engine.memory);
    loadParameters(checkpoint, enginePlan, engine.views, 0);
    await engine.coordinator.packWeights();
    const { fill } = corpus.loader.calls;
    const outcome = await evaluateStreams(
      {
        coordinator: engine.coordinator,
        layout: enginePlan.layout,
        fill,
        plan,
        source: { ...text, streams: plan.streams },
        spans: enginePlan.evaluation,
      },
      signal,
    );
    if (!outcome) throw signal!.reason;
    const { loss, tokens, seconds } = outcome;
    return {
      checkpoint: checkpoint.path,
      step: checkpoint.header.progress.step,
      backend: kernels.backend,
      variant: kernels.variant,
      workers,
      tokens,
      loss,
      bitsPerToken: loss / Math.LN2,
      perplexity: Math.exp(loss),
      seconds,
      paramsSha256: parametersSha256(enginePlan.table, engine.coordinator.parameters),
    };
  } finally {
    await engine.pool.close();
  }
}

type Text = Omit<StreamsRequest, 'streams'>;

function wholeText({ index }: Corpus): Text {
  return { side: 'train', first: 0, count: index.trainSymbols };
}

/** The part of the run's text that was kept for validation. */
function ownValidation({ header, path }: FoundCheckpoint['checkpoint'], { index }: Corpus): Text {
  if (index.sha256 !== header.corpus.sha256) {
    throw new InputError(
      expected(
        `the text the run was trained on (SHA-256 ${header.corpus.sha256.slice(0, 12)}…)`,
        `${index.sha256.slice(0, 12)}…`,
        'Name the files to evaluate on.',
      ),
    );
  }
  const { evaluation } = planRun(resolveConfig(header.config, surroundings()), index);
  if (!evaluation) {
    throw new InputError(
      `Expected files to evaluate on: the run of ${path} kept no validation text.`,
    );
  }
  return evaluation.source;
}
