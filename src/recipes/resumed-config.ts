/** The configuration of a run that goes on: what it was started with, but for what `resume` is given. */
import { findMoved } from '../checkpoint/run-folder.ts';
import { type Config, resolveConfig, type Settings, trainSettings } from '../config/config.ts';
import { flagOf } from '../config/setting-table.ts';
import { surroundings } from '../machine.ts';
import type { TrainObserver } from './reports.ts';

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

/** Who can reach the run's port. It is asked for anew, for the folder of a run may come from a stranger. */
const REACH = ['metricsHost', 'metricsAllowedHosts'] as const;

/**
 * `stored`: what stands in the config.json of the run in folder `path`. The totals `steps` and `epochs` are only checked: the
 * configuration keeps the run's own, the horizon of its schedule. More workers than this machine has cores must be asked for
 * anew: the run may come from a larger machine, or from a stranger. Throws InputError for values that cannot be.
 */
export function resumedConfig(
  stored: Readonly<Record<string, unknown>>,
  path: string,
  { steps, epochs, ...settings }: ResumeSettings,
  { onWarning }: TrainObserver,
): Config {
  const configured = resolveConfig(stored, surroundings());
  const { cores } = surroundings();
  const found = (files: readonly string[]) => files.map((file) => findMoved(path, file));
  trainSettings.parse({ steps, epochs });
  const given: ResumeSettings = Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  );
  const config = resolveConfig(
    {
      ...configured,
      ...Object.fromEntries(REACH.map((name) => [name, undefined])),
      ...(given.metrics === false && { metricsPort: undefined }),
      workers: Math.min(configured.workers, cores),
      ...given,
      files: found(configured.files),
      val: found(configured.val),
      run: path,
    },
    surroundings(),
  );
  const closed = REACH.filter((name) => !(name in given) && config[name] !== configured[name]);
  if (config.metrics && closed.length > 0) {
    const flags = closed.map((name) => `${flagOf(name)} ${configured[name]}`).join(' ');
    onWarning?.(
      `The run was started with ${flags}, which holds no longer: it listens on ${config.metricsHost}. ` +
        'Give that again where others are to reach it.',
    );
  }
  if (config.workers < configured.workers && given.workers === undefined) {
    onWarning?.(
      `The run was started with --workers ${configured.workers}, more than the ${cores} cores this process may use; it goes on ` +
        `with ${cores}, to the same bits. Give --workers for more.`,
    );
  }
  return config;
}
