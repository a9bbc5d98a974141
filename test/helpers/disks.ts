/** Disks that are small, slow or not to be written, where this machine lets a test make them. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { messageOf } from '../../src/errors.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SHIM = fileURLToPath(new URL('../../../test/fixtures/slow-disk.c', import.meta.url));
const NOBODY = 65_534;

export interface SmallDisk {
  path: string;
  resize(kibibytes: number): void;
}

/** A disk of so many KiB in memory; undefined, with the reason in the test's log, where none can be mounted. */
export function smallDisk(t: ExecutionContext, kibibytes: number): SmallDisk | undefined {
  const path = temporaryFolder(t);
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' });
  try {
    mount(`size=${kibibytes}k`);
  } catch (error) {
    return without(t, `a small disk cannot be mounted: ${messageOf(error).trim()}`);
  }
  t.teardown(() => execFileSync('umount', ['--lazy', path]));
  return { path, resize: (size) => mount(`remount,size=${size}k`) };
}

export interface FullDisk {
  /** From now on nothing can be written to the file. */
  fill(path: string): void;
  /** There is room again. */
  empty(): void;
}

/** A disk that has no room for one file, for what this thread writes. */
export function fullDisk(t: ExecutionContext): FullDisk {
  const { writeSync } = fs;
  let full: number | undefined;
  const write = (...args: Parameters<typeof writeSync>) => {
    if (fs.fstatSync(args[0]).ino !== full) return writeSync(...args);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const replace = (by: typeof writeSync) => {
    fs.writeSync = by;
    syncBuiltinESMExports();
  };
  replace(write as typeof writeSync);
  t.teardown(() => replace(writeSync));
  return {
    fill: (path) => {
      full = fs.statSync(path).ino;
    },
    empty: () => {
      full = undefined;
    },
  };
}

export interface SlowDisk {
  env: Record<string, string>;
  /** While a file of this name exists, the disk does not answer. */
  gate: string;
}

/**
 * What makes the disk slow for a process that syncs files with `files` in their paths, or reads them at a place; undefined, with
 * the reason in the test's log, where that cannot be built.
 */
export function slowDisk(t: ExecutionContext, files: string): SlowDisk | undefined {
  const folder = temporaryFolder(t);
  const library = join(folder, 'slow-disk.so');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-o', library, SHIM, '-ldl']);
  if (process.platform !== 'linux' || built.status !== 0) {
    return without(t, `a slow disk needs Linux and a C compiler: ${built.error ?? built.stderr}`);
  }
  const gate = join(folder, 'gate');
  const env = { LD_PRELOAD: library, SLOW_DISK_GATE: gate, SLOW_DISK_FILES: files };
  return { gate, env };
}

/** Whom the modes of folders bind, where they do not bind this process: root. */
export function otherUser(): number | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

function without(t: ExecutionContext, reason: string): undefined {
  t.log(`not tried: ${reason}`);
  t.pass();
  return undefined;
}
