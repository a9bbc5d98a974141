import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file and folder below `folder` with the hash of its contents: equal trees hold the same. */
export function treeOf(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(names.map((name) => [name, fingerprint(join(folder, name))]));
}

function fingerprint(path: string): string {
  if (statSync(path).isDirectory()) return 'folder';
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
