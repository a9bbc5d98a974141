/**
 * A schema as a table of settings: the one place from which the command line, the environment, configuration files,
 * messages and the reference in the README learn what settings there are.
 */
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { expected, InputError, show } from '../errors.ts';

/** One setting as help, README and messages show it. */
export interface SettingEntry {
  name: string;
  flag: string;
  group?: string;
  description: string;
  unit?: string;
  type: 'string' | 'number' | 'integer' | 'boolean' | 'array';
  /** What a text may be, in words. */
  values?: string;
  choices?: readonly string[];
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  default?: unknown;
}

type PropertySchema = Omit<SettingEntry, 'name' | 'flag' | 'choices'> & { enum?: string[] };

export class SettingTable<Schema extends z.ZodObject> {
  /** In the order of the schema. */
  readonly entries: readonly SettingEntry[];
  readonly names: readonly string[];
  readonly #schema: Schema;

  constructor(schema: Schema) {
    this.#schema = schema;
    const { properties } = z.toJSONSchema(schema, { io: 'input' });
    this.entries = Object.entries(properties as unknown as Record<string, PropertySchema>).map(
      ([name, { enum: choices, ...property }]) => ({
        ...property,
        name,
        flag: flagOf(name),
        choices,
      }),
    );
    this.names = this.entries.map((entry) => entry.name);
  }

  entry(name: string): SettingEntry {
    const entry = this.entries.find((candidate) => candidate.name === name);
    if (!entry) throw new Error(`No setting named ${name}`);
    return entry;
  }

  /** Checks settings and fills in defaults. Throws InputError naming the setting, what it may be and what came. */
  parse(settings: Readonly<Record<string, unknown>>): z.output<Schema> {
    refuseUnknownNames(Object.keys(settings), this.names, 'setting');
    const result = this.#schema.safeParse(settings);
    if (result.success) return result.data;
    const name = String(result.error.issues[0].path[0]);
    const entry = this.entry(name);
    throw new InputError(expected(`${entry.flag} to be ${describeValues(entry)}`, settings[name]));
  }
}

/** `clipNorm` as it is typed: `--clip-norm`. */
export function flagOf(name: string): string {
  if (name === 'files') return name;
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What the values of a setting may be, in words: `a whole number from 1 to 64`. */
export function describeValues(entry: SettingEntry): string {
  const { type, choices, minimum, exclusiveMinimum, maximum, values } = entry;
  if (choices) return `one of ${choices.join(', ')}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return 'a list of paths';
  if (type === 'string') return values ?? 'a text that is not empty';
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  return minimum === undefined
    ? `${kind} above ${exclusiveMinimum}, at most ${maximum}`
    : `${kind} from ${minimum} to ${maximum}`;
}

/** Throws InputError for the first name that is not known, with the nearest one that is. */
export function refuseUnknownNames(
  names: readonly string[],
  known: readonly string[],
  kind: string,
): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = closest(unknown.slice(0, 100), [...known]);
  throw new InputError(`Unknown ${kind} ${show(unknown)}. Did you mean ${nearest}?`);
}
