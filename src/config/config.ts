/** The complete, frozen configuration of a run. */
import type { z } from 'zod';
import { expected, InputError } from '../errors.ts';
import { applyConditions } from './conditions.ts';
import { defaultLanes } from './default-lanes.ts';
import { flagOf, SettingTable } from './setting-table.ts';
import { trainSchema } from './train-schema.ts';

export type Settings = z.input<typeof trainSchema>;
type Checked = z.output<typeof trainSchema>;
export type SettingName = keyof Checked;

type AlwaysFilled = 'init' | 'lanes' | 'weightDecay' | 'run' | 'workers';

/** The complete merged configuration of a run; what stands in its config.json. */
export type Config = Readonly<
  Omit<Checked, AlwaysFilled> & { [K in AlwaysFilled]-?: NonNullable<Checked[K]> }
>;

export const trainSettings = new SettingTable(trainSchema);

/** What of the machine and the moment fills settings that were left open. */
export interface Surroundings {
  /** Cores this process may use. */
  cores: number;
  /** A folder that does not exist yet. */
  newRun: () => string;
}

/**
 * Checks settings and fills all that was left open. The result is frozen.
 * Throws InputError naming the setting, what it may be, what came and, for an unknown name, the nearest known one.
 */
export function resolveConfig(
  settings: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Config {
  const config: Checked = { ...trainSettings.parse(settings) };
  applyConditions(config);
  refuseContradictions(config);
  return Object.freeze({
    ...config,
    init: config.init ?? (config.activation === 'relu' ? 'identity' : 'orthogonal'),
    weightDecay: config.weightDecay ?? (config.optimizer === 'adamw' ? 0.01 : 0),
    lanes: config.lanes ?? defaultLanes(config.batch),
    epochs: config.epochs ?? (config.steps === undefined ? 10 : undefined),
    workers: config.workers ?? surroundings.cores,
    run: config.run ?? surroundings.newRun(),
  });
}

function refuseContradictions(config: Checked): void {
  if (config.lanes !== undefined && config.lanes > config.batch) {
    throw new InputError(
      expected(
        `--lanes to be at most --batch (${config.batch})`,
        config.lanes,
        `Use --lanes ${config.batch} or --batch ${config.lanes}.`,
      ),
    );
  }
  for (const name of ['metricsPort', 'metricsAllowedHosts'] as const) {
    if (config[name] !== undefined && !config.metrics) throw onlyWithout(name, '--no-metrics');
  }
}

/** Throws InputError for a setting of a new run that another one leaves without a meaning. */
export function refuseMeaningless(config: Config): void {
  const defaults = trainSettings.parse({});
  const refuse = (names: readonly SettingName[], flag: string) => {
    const name = names.find((each) => config[each] !== defaults[each]);
    if (name) throw onlyWithout(name, flag);
  };
  if (!config.metrics) refuse(['metricsHost', 'metricsLinger'], '--no-metrics');
  if (config.valFraction === 0) refuse(['evalEvery', 'evalStreams'], '--val-fraction 0');
}

function onlyWithout(name: SettingName, flag: string): InputError {
  return new InputError(`Expected ${flagOf(name)} only without ${flag}. Leave one of them out.`);
}
