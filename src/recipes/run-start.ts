/** Where a run starts: anew, with the weights of another, or where it stopped. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FoundCheckpoint } from '../checkpoint/finder.ts';
import { keptInput, RunFolder } from '../checkpoint/run-folder.ts';
import type { Config, Settings } from '../config/config.ts';
import type { Engine, EnginePlan } from '../coordinator/engine.ts';
import { type Corpus, STANDARD_INPUT } from '../data/corpus.ts';
import { expected, InputError, messageOf, TrainingError } from '../errors.ts';
import { loadParameters, NO_PROGRESS, type Progress } from './restore.ts';

export interface Start {
  from?: FoundCheckpoint;
  restored?: FoundCheckpoint;
  folder?: RunFolder;
  /** Totals that replace the configured ones, while the schedule keeps its horizon. */
  totals?: Pick<Settings, 'steps' | 'epochs'>;
}

/**
 * The text as it was given, with the vocabulary of the checkpoint that the run starts from. Throws InputError where the run
 * would keep standard input in place of another file of the text.
 */
export function corpusRequest(config: Config, { from, restored }: Start) {
  refuseReplaced(config);
  const header = (restored ?? from)?.checkpoint.header;
  return {
    trainPaths: [...config.files],
    valPaths: [...config.val],
    tokens: header?.tokens ?? config.tokens,
    vocabulary: header?.vocabulary,
    run: config.run,
  };
}

function refuseReplaced({ files, val, run }: Config): void {
  const paths = [...files, ...val];
  if (!paths.includes(STANDARD_INPUT)) return;
  const kept = keptInput(run);
  const replaced = paths.find((path) => path !== STANDARD_INPUT && isSameFile(path, kept));
  if (replaced === undefined) return;
  throw new InputError(
    expected(
      'no file in whose place the run would keep - (standard input)',
      replaced,
      'Choose another --run, or copy the file out of this one.',
    ),
  );
}

/** By whatever names and links. False where one of them is not there. */
function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [one, other].map((path) => statSync(path, { bigint: true }));
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** Makes the run's folder, its configuration in it. Throws TrainingError where it cannot be filled; then none is left. */
export async function createFolder(config: Config, corpus: Corpus): Promise<RunFolder> {
  const folder = RunFolder.create(config.run, config.force, [...config.files, ...config.val]);
  try {
    corpus.placeSpooled(keptInput(folder.path));
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
export async function initialize(
  engine: Engine,
  plan: EnginePlan,
  from: FoundCheckpoint | undefined,
): Promise<Progress> {
  if (from) loadParameters(from.checkpoint, plan, engine.views, 0);
  else await engine.coordinator.initialize();
  return NO_PROGRESS;
}

/** Throws InputError where the weights are of another kind of token. */
export function refuseOtherTokens({ checkpoint }: FoundCheckpoint, config: Config): void {
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

/** Throws InputError where the text is not that which the run was started with. */
export function refuseOtherCorpus({ checkpoint }: FoundCheckpoint, { index }: Corpus): void {
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
