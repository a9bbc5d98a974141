/** `threadloom eval` */
import type { Argv, CommandModule } from 'yargs';
import { type EvaluateSettings, evaluateSettings } from '../config/model-use-settings.ts';
import { EXIT_CODES } from '../errors.ts';
import { type EvaluateResult, evaluate } from '../recipes/evaluate.ts';
import { withInterruption } from './interruption.ts';
import { formatCount, formatLoss, formatRows, printJson, warn } from './output.ts';
import {
  filesOf,
  flagsOf,
  OUTPUT_FLAGS,
  refuseUnknownFlags,
  settingsFromFlags,
} from './settings.ts';

interface EvalFlags {
  run: string;
  files?: string[];
  json?: boolean;
}

const OPTIONS = { ...flagsOf(evaluateSettings), json: OUTPUT_FLAGS.json };

export function evalCommand(finish: (exitCode: number) => void): CommandModule<object, EvalFlags> {
  return {
    command: 'eval <run> [files..]',
    describe: 'loss, bits and perplexity of a trained model on files',
    builder: (yargs) =>
      yargs
        .positional('run', {
          type: 'string',
          demandOption: true,
          describe: 'folder of a run (its newest checkpoint), or a checkpoint',
        })
        .positional('files', {
          type: 'string',
          array: true,
          describe: "text files; the run's own validation text unless given",
        })
        .options(OPTIONS)
        .example('$0 eval runs/mine', "on the run's own validation text")
        .example(
          '$0 eval runs/mine/checkpoints/best.ckpt other.txt --json',
          'on another text',
        ) as Argv<EvalFlags>,
    async handler(argv) {
      refuseUnknownFlags(argv, OPTIONS, ['run', 'files']);
      const settings = settingsFromFlags(evaluateSettings, argv) as EvaluateSettings;
      const result = await withInterruption('Stopping.', (signal) =>
        evaluate(argv.run, filesOf(argv), settings, {
          signal,
          stdin: process.stdin,
          onWarning: warn,
        }),
      );
      if (argv.json) printJson(result);
      else process.stdout.write(formatResult(result));
      finish(EXIT_CODES.done);
    },
  };
}

function formatResult({
  loss,
  tokens,
  checkpoint,
  step,
  workers,
  variant,
}: EvaluateResult): string {
  return formatRows([
    ['loss', formatLoss(loss)],
    ['tokens', formatCount(tokens)],
    ['model', `${checkpoint}, ${formatCount(step)} steps`],
    ['compute', `${workers} workers, ${variant} kernels`],
  ]);
}
