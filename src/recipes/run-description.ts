/** What a run is, as the live page and a report show it. Pure. */
import { basename } from 'node:path';
import { type Config, trainSettings } from '../config/config.ts';
import type { SettingEntry } from '../config/setting-table.ts';
import type { RunDescription } from '../live/protocol.ts';
import { PHASES } from '../metrics/catalogue.ts';

/** What of a run does not stand in its configuration. */
export type RunFacts = Pick<
  RunDescription,
  | 'version'
  | 'backend'
  | 'variant'
  | 'parameters'
  | 'workers'
  | 'vocabulary'
  | 'totalSteps'
  | 'stepsPerEpoch'
>;

export function describeRun(config: Config, facts: RunFacts): RunDescription {
  return {
    run: basename(config.run),
    version: facts.version,
    backend: facts.backend,
    variant: facts.variant,
    cell: config.cell,
    parameters: facts.parameters,
    workers: facts.workers,
    lanes: config.lanes,
    vocabulary: facts.vocabulary,
    totalSteps: facts.totalSteps,
    stepsPerEpoch: facts.stepsPerEpoch,
    clipNorm: config.clipNorm > 0 ? config.clipNorm : null,
    phases: [...PHASES],
    settings: settingsOf(config),
  };
}

/** Before the text is read and the model is planned. */
export function describeStart(config: Config, version: string): RunDescription {
  const { workers } = config;
  const unknown = { backend: '', variant: '', parameters: 0, vocabulary: 0 };
  return describeRun(config, { version, workers, ...unknown, totalSteps: 0, stepsPerEpoch: 0 });
}

/** In the order of the schema; of paths the last name alone, for others may see it. */
function settingsOf(config: Config): RunDescription['settings'] {
  return trainSettings.entries.flatMap((entry) => {
    const value = config[entry.name as keyof Config];
    return value === undefined ? [] : [{ flag: entry.flag, value: shown(entry, value) }];
  });
}

function shown({ name, type }: SettingEntry, value: NonNullable<unknown>): string {
  if (type === 'array') return countFiles((value as readonly string[]).length);
  return name === 'run' || name === 'from' ? basename(String(value)) : String(value);
}

function countFiles(count: number): string {
  return count === 0 ? 'none' : count === 1 ? '1 file' : `${count} files`;
}
