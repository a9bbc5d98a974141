/** The flags of the programs that are run by hand: help, one line for what is wrong, an exit code. */
import { parseArgs } from 'node:util';
import { EXIT_CODES, expected, InputError, messageOf } from '../src/errors.ts';

type Options = Readonly<Record<string, Flag>>;
type Flag =
  | { readonly type: 'string'; readonly default?: string }
  | { readonly type: 'boolean'; readonly default: boolean };

/** A flag without default may be left out. */
type Flags<O extends Options> = {
  [Name in keyof O]: O[Name]['default'] extends string
    ? string
    : O[Name]['type'] extends 'string'
      ? string | undefined
      : boolean;
};

/** Shows `help` where it is asked for; else does the work. What either throws becomes one line and an exit code. */
export async function runWithFlags<O extends Options>(
  help: string,
  options: O,
  work: (flags: Flags<O>) => Promise<void>,
): Promise<void> {
  try {
    const flags = readFlags({ ...options, help: { type: 'boolean', default: false } });
    if (flags.help) process.stdout.write(help);
    else await work(flags as Flags<O>);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = error instanceof InputError ? error.exitCode : EXIT_CODES.failed;
  }
}

function readFlags(options: Options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const [reason] = messageOf(error).split(/\. |\n/);
    throw new InputError(`${reason.replace(/\.$/, '')}. See --help.`, { cause: error });
  }
}

export interface Range {
  least: number;
  most?: number;
}

/** Throws InputError for anything but a number in the range. */
export function numberOf(flag: string, text: string, { least, most = Infinity }: Range): number {
  return checked(flag, text, 'a number', { least, most }, Number.isFinite);
}

/** Throws InputError for anything but a whole number in the range. */
export function wholeOf(flag: string, text: string, { least, most = Infinity }: Range): number {
  return checked(flag, text, 'a whole number', { least, most }, Number.isSafeInteger);
}

function checked(
  flag: string,
  text: string,
  kind: string,
  { least, most }: Required<Range>,
  fits: (value: number) => boolean,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (fits(value) && value >= least && value <= most) return value;
  const range = most === Infinity ? `at least ${least}` : `from ${least} to ${most}`;
  throw new InputError(expected(`--${flag} to be ${kind}, ${range}`, text));
}
