/** What this process may use of its machine, and where a new run goes. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Surroundings } from './config/config.ts';

/** V8 lets short-lived objects of the main thread fill 48 MiB; by the first step they have hardly begun to. */
export const HEAP_GROWTH_BYTES = 48 * 2 ** 20;

export function surroundings(): Surroundings {
  return { cores: availableCores(), newRun };
}

/** Cores of the process's affinity mask, and no more than its control group (v2) grants. */
function availableCores(): number {
  const parallelism = availableParallelism();
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').split(' ').map(Number);
    if (quota > 0 && period > 0)
      return Math.max(1, Math.min(parallelism, Math.ceil(quota / period)));
  } catch {
    // No control group here: the affinity mask alone counts.
  }
  return parallelism;
}

/**
 * Memory that is free to this process, its control group's limit included. A group counts what it holds of files as used,
 * though the kernel gives that up before anything else: a large text that was just read would leave nothing.
 */
export function freeMemoryBytes(): number {
  const available = process.availableMemory?.() ?? freemem();
  const limit = process.constrainedMemory?.() ?? 0;
  if (limit <= 0 || limit >= totalmem()) return available;
  return Math.min(freemem(), available + fileCacheBytes(readGroupStatistics()));
}

/** Of a control group, by the text of its memory.stat (version 2, or 1 with its prefix). */
export function fileCacheBytes(statistics: string): number {
  const lines = statistics.matchAll(/^(?:total_)?((?:in)?active_file) (\d+)$/gm);
  // Version 1 tells its own part first, then that of all groups below it, which counts.
  const last = new Map([...lines].map(([, name, bytes]) => [name, Number(bytes)]));
  return [...last.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Where the group of this process is, as its system or its container shows it; empty where none can be read. */
function readGroupStatistics(): string {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const groups = read('/proc/self/cgroup');
  const unified = /^0::(.*)$/m.exec(groups)?.[1] ?? '/';
  const memory = /^\d+:(?:[\w,]*,)?memory(?:,[\w,]*)?:(.*)$/m.exec(groups)?.[1] ?? '/';
  return (
    read(join('/sys/fs/cgroup', unified, 'memory.stat')) ||
    read('/sys/fs/cgroup/memory.stat') ||
    read(join('/sys/fs/cgroup/memory', memory, 'memory.stat')) ||
    read('/sys/fs/cgroup/memory/memory.stat')
  );
}

/** `runs/2026-11-23T14-05-09-3f2a`: sorted by time, unique. */
function newRun(): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return join('runs', `${time}-${randomBytes(2).toString('hex')}`);
}
