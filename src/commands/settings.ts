/** Settings from flags, environment and configuration file: flags beat the environment, which beats the file. */
import { closeSync, openSync } from 'node:fs';
import { delimiter } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { ArgumentsCamelCase, Options } from 'yargs';
import { trainSettings } from '../config/config.ts';
import {
  flagOf,
  refuseUnknownNames,
  type SettingEntry,
  type SettingTable,
} from '../config/setting-table.ts';
import { expected, InputError, messageOf } from '../errors.ts';
import { readAtMost, readSmallFile } from '../small-file.ts';

const ENVIRONMENT_PREFIX = 'THREADLOOM_';
/** Variables that are no settings: they force a variant of the kernels, for tests. */
const OTHER_VARIABLES = ['THREADLOOM_WASM_VARIANT', 'THREADLOOM_NATIVE_PATH'];

export const OUTPUT_FLAGS = {
  json: { type: 'boolean', group: 'Output', describe: 'print one JSON object on stdout' },
  quiet: { type: 'boolean', group: 'Output', describe: 'no plan and no progress' },
} as const satisfies Record<string, Options>;

export type Table = Pick<SettingTable<never>, 'entries' | 'entry' | 'names'>;

/** The flags of settings, by their names without dashes, for yargs. Values stay text until they are checked. */
export function flagsOf(table: Table, names = flagged(table)): Record<string, Options> {
  return Object.fromEntries(names.map((name) => [flagName(name), flagFor(table.entry(name))]));
}

/** Names of all settings that have a flag; files are positional. */
function flagged({ names }: Table): readonly string[] {
  return names.filter((name) => name !== 'files');
}

/** `clip-norm` */
function flagName(name: string): string {
  return flagOf(name).slice(2);
}

/** `clip-norm` → `clipNorm` */
function camelName(key: string): string {
  return key.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

function flagFor({
  type,
  group,
  description,
  unit,
  choices,
  default: value,
}: SettingEntry): Options {
  return {
    type: type === 'boolean' ? 'boolean' : type === 'array' ? 'array' : 'string',
    string: type === 'array' || undefined,
    requiresArg: type !== 'boolean' || undefined,
    group,
    describe: [description, unit && `[${unit}]`, choices && `(${choices.join(', ')})`]
      .filter(Boolean)
      .join(' '),
    defaultDescription: value === undefined || type === 'array' ? undefined : String(value),
  };
}

/** Settings from the flags that were given. yargs has each in `argv` as typed and in camel case. */
export function settingsFromFlags(
  table: Table,
  argv: ArgumentsCamelCase,
  names = flagged(table),
): Record<string, unknown> {
  const given = names.filter((name) => argv[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, fromText(table.entry(name), argv[name])]));
}

/** Files as they were given, with those behind `--`, whose names may begin with a dash. */
export function filesOf({ files, _ }: ArgumentsCamelCase<{ files?: string[] }>): string[] {
  return [...(files ?? []), ..._.slice(1).map(String)];
}

/** The settings of a training command that takes `names`, merged. `file` is the path given with --config. */
export function mergeSettings(
  argv: ArgumentsCamelCase,
  names = flagged(trainSettings),
  file?: string,
): Record<string, unknown> {
  return {
    ...fromFile(file),
    ...fromEnvironment(names),
    ...settingsFromFlags(trainSettings, argv, names),
  };
}

/**
 * Throws InputError for a switch with a value other than true or false, which yargs would take for false. `args`: the command
 * line as it was typed.
 */
export function refuseSwitchValues(args: readonly string[]): void {
  const settings = trainSettings.entries.filter(({ type }) => type === 'boolean');
  const switches = [...settings.map(({ name }) => flagName(name)), ...Object.keys(OUTPUT_FLAGS)];
  const end = args.indexOf('--');
  for (const arg of end < 0 ? args : args.slice(0, end)) {
    const [, name, value] = /^--(?:no-)?([a-z-]+)=(.*)$/s.exec(arg) ?? [];
    if (name === undefined || !switches.includes(name) || /^(true|false)$/.test(value)) continue;
    throw new InputError(expected(`--${name} to be true or false, or to stand alone`, value));
  }
}

/**
 * Throws InputError for a flag that is not among `options` (as given to yargs), naming the nearest one. `positional`: names
 * of the command's arguments, which yargs has in `argv` as well.
 */
export function refuseUnknownFlags(
  argv: ArgumentsCamelCase,
  options: object,
  positional: readonly string[],
): void {
  const known = [...Object.keys(options), 'help', 'version'];
  const camel = known.map((name) => camelName(name));
  const others = ['_', '$0', ...positional, ...camel];
  const typed = Object.keys(argv).filter((key) => known.includes(key) || !others.includes(key));
  const dashed = (names: readonly string[]) =>
    names.map((name) => (name.length === 1 ? `-${name}` : `--${name}`));
  refuseUnknownNames(dashed(typed), dashed(known), 'flag');
}

function fromEnvironment(names: readonly string[]): Record<string, unknown> {
  const variables = Object.keys(process.env).filter((key) => key.startsWith(ENVIRONMENT_PREFIX));
  const known = [...flagged(trainSettings).map(variableOf), ...OTHER_VARIABLES];
  refuseUnknownNames(variables, known, 'environment variable');
  const given = names.filter((name) => process.env[variableOf(name)] !== undefined);
  return Object.fromEntries(
    given.map((name) => [name, fromText(trainSettings.entry(name), process.env[variableOf(name)])]),
  );
}

/** `clipNorm` → `THREADLOOM_CLIP_NORM` */
function variableOf(name: string): string {
  return ENVIRONMENT_PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** A number stays text where it is none, so that the check can show what was typed. */
function fromText({ type }: SettingEntry, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'array') return value.split(delimiter);
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  if (type !== 'number' && type !== 'integer') return value;
  const number = Number(value);
  return value.trim() === '' || Number.isNaN(number) ? value : number;
}

function fromFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {};
  const settings = readSettings(path);
  const named = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [camelName(key), value]),
  );
  refuseUnknownNames(Object.keys(named), trainSettings.names, `key in ${path}`);
  return named;
}

/** Settings are few; YAML takes long for what is large. */
const MAX_FILE_BYTES = 2 ** 20;

function readSettings(path: string): object {
  let value: unknown;
  try {
    value = parseYaml(readConfiguration(path), { maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    const [line] = messageOf(error).split('\n');
    throw new InputError(`Expected --config to be a YAML or JSON file: ${line}`, { cause: error });
  }
  if (Object.getPrototypeOf(value ?? '') === Object.prototype) return value as object;
  throw new InputError(
    `Expected ${path} to hold settings (name: value), as in a run's config.json.`,
  );
}

/** Of the files that are no regular ones only those that the shell has opened, such as `<(…)`. */
function readConfiguration(path: string): string {
  const opened = /^\/dev\/(?:stdin|fd\/\d+)$/.test(path);
  if (!opened) return readSmallFile(path, MAX_FILE_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    return readAtMost(descriptor, MAX_FILE_BYTES);
  } finally {
    closeSync(descriptor);
  }
}
