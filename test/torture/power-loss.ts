/** What a power cut leaves of a run whose process has just died: less than was written, and pieces of files. */
import { appendFileSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import type { LogName, LogSizes } from '../../src/checkpoint/run-folder.ts';
import { listCheckpoints } from '../../src/checkpoint/store.ts';
import type { Draws } from './draws.ts';

interface Whole {
  path: string;
  logBytes: LogSizes;
}

/**
 * Damages what was not yet on the disk, and more: the newest checkpoint may be cut or gone where there is one before it, the
 * logs may be cut down to what any remaining checkpoint counts on.
 */
export function losePower(run: string, draws: Draws): void {
  const folder = join(run, 'checkpoints');
  if (!existsSync(folder)) return;
  const whole = wholeCheckpoints(folder);
  if (whole.length > 1 && draws.chance(0.5)) damageNewest(whole, draws);
  if (whole.length > 0) {
    const { logBytes } = draws.chance(0.7) ? whole[0] : draws.one(whole);
    for (const name of Object.keys(logBytes) as LogName[]) {
      cutLog(join(run, `${name}.ndjson`), name === 'timings' ? 0 : logBytes[name], draws);
    }
  }
  for (const name of ['step-00000003.ckpt.tmp', 'best.ckpt.tmp']) {
    if (draws.chance(0.5)) writeFileSync(join(folder, name), 'half a checkpoint');
  }
}

/** Names of the checkpoints that resuming must say it passes over: broken, and newer than all that are whole. */
export function brokenCheckpoints(run: string): string[] {
  const folder = join(run, 'checkpoints');
  if (!existsSync(folder)) return [];
  const [newest] = wholeCheckpoints(folder);
  const names = listCheckpoints(folder).map(({ path }) => basename(path));
  return newest ? names.slice(0, names.indexOf(basename(newest.path))) : [];
}

/** Newest first. */
function wholeCheckpoints(folder: string): Whole[] {
  return listCheckpoints(folder).flatMap(({ path }) => {
    try {
      const checkpoint = openCheckpoint(path);
      checkpoint.close();
      return [{ path, logBytes: checkpoint.header.progress.logBytes }];
    } catch {
      return []; // Broken by an earlier cut.
    }
  });
}

function damageNewest(whole: Whole[], draws: Draws): void {
  const { path } = whole.shift() as Whole;
  if (draws.chance(0.3)) rmSync(path);
  else truncateSync(path, draws.between(0, statSync(path).size - 1));
}

function cutLog(path: string, least: number, draws: Draws): void {
  if (!existsSync(path)) return;
  if (draws.chance(0.6)) truncateSync(path, draws.between(least, statSync(path).size));
  if (draws.chance(0.3)) appendFileSync(path, '{"step":12,"epo');
}
