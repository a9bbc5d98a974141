/** What this process may use of its machine, and where a new run goes. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import type { Surroundings } from './config/config.ts';

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

/** Memory that is free to this process, its control group's limit included. */
export function freeMemoryBytes(): number {
  return process.availableMemory?.() ?? freemem();
}

/** `runs/2026-11-23T14-05-09-3f2a`: sorted by time, unique. */
function newRun(): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return join('runs', `${time}-${randomBytes(2).toString('hex')}`);
}
