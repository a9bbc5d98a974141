/** Why a run failed, as it is told to whoever can reach its port: of files the last name alone, of folders nothing. */
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { CHECKPOINT_FOLDER } from '../checkpoint/store.ts';
import type { Config } from '../config/config.ts';
import { errorCode, messageOf } from '../errors.ts';

/** The paths that a run was given. */
export type GivenPaths = Pick<Config, 'run' | 'files' | 'val' | 'from'>;

const SEPARATOR = /[\\/]/;
/** A quoted path that `show` has shortened: what it was cannot be known any more. */
const SHORTENED = /"[^"]*[\\/][^"]*\.\.\.(?!")/g;
/** Other paths in quotes, as the system's errors have them. A quote within one ends in what is withheld. */
const QUOTED = /(?<=^|[\s(])(["'])[^"']*[\\/]([^"'\\/]*)\1(?=[\s,.:;)]|$)/g;

/** The error's message without folders; where it may hold one of a path that nobody gave, only what kind it is of. */
export function publicReason(error: unknown, given: GivenPaths): string {
  const shortened = messageOf(error).replace(SHORTENED, '"…"');
  const known = withoutKnown(shortened, given).replace(QUOTED, '$1$2$1');
  if (!SEPARATOR.test(known)) return known;
  const code = errorCode(error) ?? errorCode((error as Error | undefined)?.cause);
  const kind = code ? ` (${code})` : '';
  return `What the run printed last says why it failed${kind}; it names folders, and is not shown here.`;
}

/** The paths that are known, replaced as they stand: no pattern tells where a path with spaces ends. */
function withoutKnown(message: string, { run, files, val, from }: GivenPaths): string {
  const given = [run, ...files, ...val, ...(from === undefined ? [] : [from])];
  const paths = given.flatMap((path) => [path, resolve(path)]);
  const ofRun = [run, resolve(run)].flatMap((path) => [join(path, CHECKPOINT_FOLDER), path]);
  const folders = [...ofRun, ...paths.map(dirname), process.cwd(), homedir(), tmpdir()];
  const withoutFiles = replaceEach(message, paths, (path) => [
    `${escaped(path)}(?=$|[\\s"'):,;]|\\.(?:\\s|$))`,
    basename(path),
  ]);
  const named = folders.filter((folder) => basename(folder) !== '');
  return replaceEach(withoutFiles, named, (folder) => [
    escaped(folder.endsWith(sep) ? folder : folder + sep),
    '',
  ]);
}

/** Longest first, where they begin a path. */
function replaceEach(
  message: string,
  texts: readonly string[],
  rule: (text: string) => [pattern: string, by: string],
): string {
  return [...new Set(texts)]
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
    .filter((text) => message.includes(text))
    .sort((a, b) => b.length - a.length)
    .reduce((changed, text) => {
      const [pattern, by] = rule(text);
      return changed.replace(new RegExp(`(?<![^\\s"'(:=])${pattern}`, 'g'), () => by);
    }, message);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
