/** The command `threadloom` as a process that is killed at a moment of what it does to the disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CLI } from '../helpers/cli.ts';

/** When to kill: a log reaches a length, or something changes in a folder for the n-th time. */
export type Moment =
  | { log: 'steps' | 'evals' | 'timings'; bytes: number }
  /** `where` is relative to the run's folder: '..' sees the folder itself come. */
  | { where: '..' | '.' | 'checkpoints'; name: RegExp; times: number };

export interface Ending {
  killed: boolean;
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command; where a moment is given and comes before the end, kills it then. */
export async function runVictim(
  args: readonly string[],
  run: string,
  moment?: Moment,
  input?: Uint8Array,
): Promise<Ending> {
  const watchers = new Map<string, FSWatcher>();
  const child = spawn(process.execPath, [CLI, ...args]);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {}); // It may die without having read its input.
  child.stdin.end(input);
  if (moment) killAt(moment, run, child, watchers);
  try {
    const [code, signal] = await once(child, 'close');
    return { killed: signal === 'SIGKILL', code, ...output };
  } finally {
    for (const watcher of watchers.values()) watcher.close();
  }
}

function killAt(
  moment: Moment,
  run: string,
  child: ChildProcess,
  watchers: Map<string, FSWatcher>,
): void {
  let times = 0;
  const matches = (folder: string, name: string) => {
    if ('log' in moment) {
      const path = join(run, `${moment.log}.ndjson`);
      return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= moment.bytes;
    }
    if (folder === join(run, moment.where) && moment.name.test(name)) times++;
    return times >= moment.times;
  };
  const look = (folder: string) => {
    if (watchers.has(folder) || !existsSync(folder)) return;
    const watcher = watch(folder, (_, name) => {
      if (matches(folder, String(name))) child.kill('SIGKILL');
      look(run);
      look(join(run, 'checkpoints'));
    });
    watcher.on('error', () => {}); // Its folder was removed.
    watchers.set(folder, watcher);
  };
  for (const folder of [dirname(run), run, join(run, 'checkpoints')]) look(folder);
}

/** What the run and its command may leave beside it and in it only while they work, as relative paths. */
export function isTemporary(path: string, run: string): boolean {
  const name = basename(path);
  return name.endsWith('.tmp') || name.startsWith(`.${basename(run)}.stdin-`);
}
