/** Small runs in this process, and what they left on disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { writeText } from './text.ts';

export const TINY_SETTINGS = {
  hidden: 8,
  embed: 4,
  batch: 4,
  chunk: 8,
  workers: 2,
  metrics: false,
} as const satisfies Settings;

export interface RunPlace {
  folder: string;
  text: string;
  /** Settings of a small run of this text in `folder`/`name`. */
  settings(name: string, others?: Settings): Settings;
}

/** A folder with a text of `characters` characters. */
export function runPlace(t: ExecutionContext, characters = 1200): RunPlace {
  const folder = temporaryFolder(t);
  const text = writeText(folder, 'text.txt', characters);
  return {
    folder,
    text,
    settings: (name, others = {}) => ({
      ...TINY_SETTINGS,
      files: [text],
      run: join(folder, name),
      ...others,
    }),
  };
}

/** The reproducible logs of a run, as they are on disk. */
export function logsOf(run: string): { steps: string; evals: string; gradients: string } {
  const read = (name: string) => readFileSync(join(run, `${name}.ndjson`), 'utf8');
  return { steps: read('steps'), evals: read('evals'), gradients: read('gradients') };
}

/** Steps of the checkpoints that a run has kept, ascending; the best is not among them. */
export function checkpointSteps(run: string): number[] {
  return readdirSync(join(run, 'checkpoints'))
    .flatMap((name) => /^step-(\d+)\.ckpt$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** What a writer of checkpoints says that cannot keep up: it depends on the machine. */
const OF_PACE = /^(The checkpoint of step \d+ is left out|Checkpoints are written in time again)/;

/** Notes the warnings of a run that do not depend on the machine. */
export function noteWarnings(warnings: string[]): (message: string) => void {
  return (message) => {
    if (!OF_PACE.test(message)) warnings.push(message);
  };
}

export interface LoggedStep {
  step: number;
  epoch: number;
  tokens: number;
  loss: number;
  gradNorm: number;
  clipScale: number;
  lr: number;
}

export function linesOf<Line = LoggedStep>(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
