/** The command `threadloom` as a child process. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

export const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

/** A model and a batch that train in no time. */
export const TINY = ['--hidden', '8', '--embed', '4', '--batch', '4', '--chunk', '8'];
/** The same without a port. */
export const QUIET_TINY = [...TINY, '--no-metrics'];

export interface CliOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string | Uint8Array;
  /** Leaves standard input open behind the input. */
  open?: boolean;
  /** Flags of Node itself. */
  nodeFlags?: readonly string[];
  /** A command line before it, such as a shell that sets limits. */
  prefix?: readonly string[];
  user?: number;
  /** The program, where it is a copy. */
  cli?: string;
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Lines of stderr. */
  lines: string[];
}

export interface RunningCli {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly finished: Promise<Finished>;
  /** Resolves with the match once the output has it; rejects where the process ends before. */
  shows(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpMatchArray>;
}

/** Starts the command; it is killed where the test ends first. */
export function startCli(
  t: ExecutionContext,
  args: readonly string[],
  options: CliOptions = {},
): RunningCli {
  const { cwd, env, input, open, nodeFlags = [], prefix = [], user, cli = CLI } = options;
  const [file, ...rest] = [...prefix, process.execPath, ...nodeFlags, cli, ...args];
  const child = spawn(file, rest, { cwd, env: { ...ownEnvironment(), ...env }, uid: user });
  t.teardown(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {}); // It may end without having read its input.
  if (input) child.stdin.write(input);
  if (!open) child.stdin.end();
  const finished = once(child, 'close').then(
    ([code]): Finished => ({
      code,
      ...output,
      lines: output.stderr.split('\n').filter((line) => line !== ''),
    }),
  );
  const shows = (pattern: RegExp, stream: 'stdout' | 'stderr' = 'stderr') =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const look = () => {
        const match = output[stream].match(pattern);
        if (match) resolve(match);
      };
      child[stream].on('data', look);
      look();
      void finished.then(() => reject(new Error(`${pattern} is not in ${output[stream]}`)));
    });
  return { child, finished, shows };
}

/** At most two at a time, so that none starves. */
const waiting: (() => void)[] = [];
let free = 2;

/** Runs the command to its end. */
export async function runCli(
  t: ExecutionContext,
  args: readonly string[],
  options?: CliOptions,
): Promise<Finished> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  try {
    return await startCli(t, args, options).finished;
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}

function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) => !name.startsWith('THREADLOOM_') && name !== 'NODE_OPTIONS'),
  );
}
