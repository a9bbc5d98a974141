/** Registers the commands and turns whatever they throw into one line and an exit code. */
import yargs, { type Argv } from 'yargs';
import { EXIT_CODES, InputError, messageOf, printable, ThreadloomError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { benchCommand } from './bench.ts';
import { evalCommand } from './eval.ts';
import { inspectCommand } from './inspect.ts';
import { Interruption } from './interruption.ts';
import { endQuietlyOnClosedPipe, say } from './output.ts';
import { reportCommand } from './report.ts';
import { resumeCommand } from './resume.ts';
import { sampleCommand } from './sample.ts';
import { refuseSwitchValues } from './settings.ts';
import { trainCommand } from './train.ts';

/** Stands for a bare - (standard input), which the parser would take for a flag without a name. */
const DASH = '\0';

/** Runs a command line (without node and script). Resolves to the exit code; never rejects. */
export async function main(args: readonly string[]): Promise<number> {
  endQuietlyOnClosedPipe();
  let exitCode: number = EXIT_CODES.done;
  const parser = createParser((code) => {
    exitCode = code;
  });
  try {
    refuseSwitchValues(args);
    await parser.parseAsync(args.map((arg) => (arg === '-' ? DASH : arg)));
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

/** The parser of the command line; also what the reference in the README is made from. */
export function createParser(finish: (exitCode: number) => void): Argv {
  return yargs()
    .scriptName('threadloom')
    .usage('$0 <command>\n\nTrains recurrent neural networks on every core of this machine.')
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .middleware(showDashes, true)
    .command(trainCommand(finish))
    .command(resumeCommand(finish))
    .command(sampleCommand(finish))
    .command(evalCommand(finish))
    .command(inspectCommand(finish))
    .command(reportCommand(finish))
    .command(benchCommand(finish))
    .demandCommand(1, 'Expected a command.')
    .strictCommands()
    .recommendCommands()
    .completion(
      'completion',
      'print a script for shell completion: threadloom completion >> ~/.bashrc',
    )
    .version(VERSION)
    .help()
    .wrap(Math.min(120, process.stderr.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      if (error && error.name !== 'YError') throw error;
      throw new InputError(usage(message || error.message), { cause: error });
    });
}

function showDashes(argv: Record<string, unknown>): void {
  const show = (value: unknown) => (value === DASH ? '-' : value);
  for (const [name, value] of Object.entries(argv)) {
    argv[name] = Array.isArray(value) ? value.map(show) : show(value);
  }
}

/** A complaint of yargs as one sentence with a way on. */
function usage(complaint: string): string {
  const sentence = complaint
    .trim()
    .replaceAll('\n', ' ')
    .replace(/[.?]?$/, (end) => end || '.');
  return `${sentence} Try: threadloom --help`;
}

function report(error: unknown): number {
  if (error instanceof Interruption) {
    say(`${error.message}\n`);
    return EXIT_CODES.interrupted;
  }
  const known = error instanceof ThreadloomError;
  say(`threadloom: ${oneLine(messageOf(error))}\n`);
  if (!known && error instanceof Error) say(`${error.stack}\n`);
  return known ? error.exitCode : EXIT_CODES.failed;
}

/** A path may hold line breaks and worse, a message may not. */
function oneLine(text: string): string {
  return printable(text.replace(/\s*[\r\n]+\s*/g, ' '));
}
