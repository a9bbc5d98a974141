/** `threadloom report` */
import type { Argv, CommandModule } from 'yargs';
import { formatBytes } from '../bytes.ts';
import { EXIT_CODES } from '../errors.ts';
import { report } from '../recipes/report.ts';
import { formatCount, printJson, warn } from './output.ts';
import { OUTPUT_FLAGS, refuseUnknownFlags } from './settings.ts';

interface ReportFlags {
  run: string;
  out?: string;
  force?: boolean;
  json?: boolean;
}

const OPTIONS = {
  out: {
    type: 'string',
    requiresArg: true,
    describe: "file to write; report.html in the run's folder unless given",
  },
  force: { type: 'boolean', describe: 'replace the file that is there' },
  json: OUTPUT_FLAGS.json,
} as const;

export function reportCommand(
  finish: (exitCode: number) => void,
): CommandModule<object, ReportFlags> {
  return {
    command: 'report <run>',
    describe: 'write one HTML file that shows a run, for any browser',
    builder: (yargs) =>
      yargs
        .positional('run', { type: 'string', demandOption: true, describe: 'folder of a run' })
        .options(OPTIONS)
        .example('$0 report runs/mine --out mine.html', '') as Argv<ReportFlags>,
    async handler(argv) {
      refuseUnknownFlags(argv, OPTIONS, ['run']);
      const result = await report(argv.run, {
        ...{ out: argv.out, force: argv.force },
        onWarning: warn,
      });
      if (argv.json) printJson(result);
      else {
        const size = `${formatCount(result.step)} steps, ${formatBytes(result.bytes)}`;
        process.stdout.write(`${result.report} (${size})\n`);
      }
      finish(EXIT_CODES.done);
    },
  };
}
