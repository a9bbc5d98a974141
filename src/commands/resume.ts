/** `threadloom resume` */
import type { Argv, CommandModule } from 'yargs';
import { trainSettings } from '../config/config.ts';
import type { ResumeSettings } from '../recipes/resumed-config.ts';
import { resume } from '../recipes/train.ts';
import { flagsOf, mergeSettings, OUTPUT_FLAGS, refuseUnknownFlags } from './settings.ts';
import { type OutputFlags, showTraining } from './training.ts';

interface ResumeFlags extends OutputFlags {
  run: string;
}

/** The rest stands in the run's config.json. */
const NAMES = [
  'workers',
  'workerTimeout',
  'steps',
  'epochs',
  'metrics',
  'metricsPort',
  'metricsHost',
  'metricsAllowedHosts',
  'metricsLinger',
] as const satisfies readonly (keyof ResumeSettings)[];

const OPTIONS = { ...flagsOf(trainSettings, NAMES), ...OUTPUT_FLAGS };

export function resumeCommand(
  finish: (exitCode: number) => void,
): CommandModule<object, ResumeFlags> {
  return {
    command: 'resume <run>',
    describe: 'go on with a run from its newest checkpoint, as if it had never stopped',
    builder: (yargs) =>
      yargs
        .positional('run', { type: 'string', demandOption: true, describe: 'folder of the run' })
        .options(OPTIONS)
        .example('$0 resume runs/mine --workers 4', 'to its configured end, on 4 threads')
        .example(
          '$0 resume runs/steady --epochs 20',
          'to 20 epochs in all; a cosine schedule has come to its end before',
        ) as Argv<ResumeFlags>,
    async handler(argv) {
      refuseUnknownFlags(argv, OPTIONS, ['run']);
      const settings = mergeSettings(argv, NAMES) as ResumeSettings;
      finish(await showTraining(argv, (options) => resume(argv.run, settings, options)));
    },
  };
}
