/** `threadloom train` */
import type { Argv, CommandModule, Options } from 'yargs';
import { type Settings, trainSettings } from '../config/config.ts';
import { train } from '../recipes/train.ts';
import { filesOf, flagsOf, mergeSettings, OUTPUT_FLAGS, refuseUnknownFlags } from './settings.ts';
import { type OutputFlags, showTraining } from './training.ts';

interface TrainFlags extends OutputFlags {
  files?: string[];
  config?: string;
}

const OPTIONS = {
  ...flagsOf(trainSettings),
  ...OUTPUT_FLAGS,
  config: {
    type: 'string',
    requiresArg: true,
    group: 'Run',
    describe: 'YAML or JSON file of settings; flags and THREADLOOM_* variables beat it',
  },
} as const satisfies Record<string, Options>;

export function trainCommand(
  finish: (exitCode: number) => void,
): CommandModule<object, TrainFlags> {
  return {
    command: 'train [files..]',
    describe: 'train a recurrent network on text files',
    builder: (yargs) =>
      yargs
        .positional('files', {
          type: 'string',
          array: true,
          describe: 'text files (UTF-8), joined in this order; - is standard input',
        })
        .options(OPTIONS)
        .example('$0 train book.txt', 'one LSTM layer of 256 units, 10 epochs, all cores')
        .example(
          '$0 train a.txt b.txt --val c.txt --cell gru --layers 2 --dropout 0.2',
          'several files, validation on another',
        )
        .example(
          'cat *.txt | $0 train - --max-minutes 5 --run runs/mine',
          'standard input, for five minutes',
        )
        .example(
          '$0 train new.txt --from runs/mine',
          'start with the weights of another run',
        ) as Argv<TrainFlags>,
    async handler(argv) {
      refuseUnknownFlags(argv, OPTIONS, ['files']);
      const settings = mergeSettings(argv, undefined, argv.config);
      const files = filesOf(argv);
      if (files.length > 0) settings.files = files;
      finish(await showTraining(argv, (options) => train(settings as Settings, options)));
    },
  };
}
