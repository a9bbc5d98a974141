import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every file and folder below `folder` with the hash of its contents: equal trees hold the same. */
export function treeOf(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(names.map((name) => [name, fingerprint(join(folder, name))]));
}

function fingerprint(path: string): string {
  const stats = lstatSync(path);
  if (stats.isDirectory()) return 'folder';
  if (!stats.isFile()) return 'no regular file'; // To read a pipe would wait for its other end.
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
