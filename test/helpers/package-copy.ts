/** This package as it lies where it was installed, without a native addon, in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { temporaryFolder } from './temporary-folder.ts';

/** From dist/test/helpers. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = ['package.json', 'scripts/install-native.mjs', 'workers/native'];
const COPIED_BUILDS = ['dist/src', 'dist/workers'];

export interface PackageCopy {
  folder: string;
  cli: string;
  /** Where the addon is built, where a prebuilt one is carried, and where the reason for none is kept. */
  built: string;
  prebuilt: string;
  reasonFile: string;
  /** Runs install-native.mjs as `npm ci` does, with no command on the PATH but node and the (empty) `others`. */
  install(others?: readonly string[], env?: Record<string, string>): Promise<Installed>;
}

export interface Installed {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function copyPackage(t: ExecutionContext): PackageCopy {
  const folder = temporaryFolder(t);
  for (const path of [...COPIED, ...COPIED_BUILDS]) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const platform = `${process.platform}-${process.arch}`;
  return {
    folder,
    cli: join(folder, 'dist/src/cli.js'),
    built: join(folder, 'build/Release/threadloom.node'),
    prebuilt: join(folder, 'prebuilds', platform, 'threadloom.node'),
    reasonFile: join(folder, 'build/native-unavailable.txt'),
    async install(others = [], env = {}) {
      const commands = temporaryFolder(t);
      symlinkSync(process.execPath, join(commands, 'node'));
      for (const name of others) writeFileSync(join(commands, name), '');
      const script = join(folder, 'scripts/install-native.mjs');
      const child = spawn('node', [script], { env: { ...env, PATH: commands }, timeout: 60_000 });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      return { code, stdout, stderr };
    },
  };
}

/** The addon that was built for this processor and code, or undefined. */
export function builtAddon(): Buffer | undefined {
  try {
    return readFileSync(join(ROOT, 'build/Release/threadloom.node'));
  } catch {
    return undefined;
  }
}

/** Writes a file with the folders above it. */
export function writeAt(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
