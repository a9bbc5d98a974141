/** `threadloom inspect` */
import type { Argv, CommandModule } from 'yargs';
import { formatBytes } from '../bytes.ts';
import { EXIT_CODES } from '../errors.ts';
import { type Inspection, inspect } from '../recipes/inspect.ts';
import { formatCount, formatLoss, formatRows, printJson, warn } from './output.ts';
import { OUTPUT_FLAGS, refuseUnknownFlags } from './settings.ts';

interface InspectFlags {
  target: string;
  json?: boolean;
}

const OPTIONS = { json: OUTPUT_FLAGS.json };

export function inspectCommand(
  finish: (exitCode: number) => void,
): CommandModule<object, InspectFlags> {
  return {
    command: 'inspect <target>',
    describe: 'configuration, parameters, step and losses of a run or a checkpoint',
    builder: (yargs) =>
      yargs
        .positional('target', {
          type: 'string',
          demandOption: true,
          describe: 'folder of a run (its newest checkpoint), or a checkpoint',
        })
        .options(OPTIONS)
        .example('$0 inspect runs/mine', 'the newest checkpoint of a run') as Argv<InspectFlags>,
    handler(argv) {
      refuseUnknownFlags(argv, OPTIONS, ['target']);
      const inspection = inspect(argv.target);
      for (const message of inspection.warnings) warn(message);
      if (argv.json) printJson(inspection);
      else process.stdout.write(formatInspection(inspection));
      finish(EXIT_CODES.done);
    },
  };
}

function formatInspection(inspection: Inspection): string {
  const { step, epoch, tokens, finished, corpus } = inspection;
  const loss = (value: number | null) => (value === null ? '–' : formatLoss(value));
  const summary: [string, string][] = [
    [
      'checkpoint',
      `${inspection.checkpoint} (${formatBytes(inspection.bytes)}, Threadloom ${inspection.threadloom})`,
    ],
    [
      'progress',
      `step ${formatCount(step)}, epoch ${epoch}, ${formatCount(tokens)} tokens${finished ? ', finished' : ''}`,
    ],
    ['train loss', loss(inspection.trainLoss)],
    ['validation', loss(inspection.evalLoss)],
    ['best', loss(inspection.bestEvalLoss)],
    ['kernels', inspection.variant],
    [
      'text',
      `${corpus.train.map(({ path }) => path).join(', ')} (SHA-256 ${corpus.sha256.slice(0, 12)}…)`,
    ],
  ];
  const parameters = inspection.parameters.map(({ name, shape, count }): [string, string] => [
    name,
    `(${shape.join(', ')})  ${formatCount(count)}`,
  ]);
  const settings = Object.entries(inspection.config).map(([name, value]): [string, string] => [
    name,
    JSON.stringify(value),
  ]);
  return [
    formatRows(summary),
    `\nparameters (${formatCount(inspection.parameterCount)})\n`,
    formatRows(parameters),
    '\nconfiguration\n',
    formatRows(settings),
  ].join('');
}
