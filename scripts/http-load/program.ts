/** A Node.js program of this project as a child process. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface Program {
  child: ChildProcessByStdio<Writable, Readable, Readable>;
  closed: Promise<unknown>;
  /** Resolves once standard error has it; rejects where the program ends before. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
}

/** `file`: from the folder of this one. */
export function startProgram(file: string, args: readonly (string | number)[]): Program {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, ...args.map(String)], { stdio: 'pipe' });
  const closed = once(child, 'close');
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    // The beginning and what was last: a run says much.
    output = output.slice(0, 4096) + (output.slice(4096) + text).slice(-4096);
  });
  const shows = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output);
        if (match) resolve(match);
      };
      child.stderr.on('data', look);
      look();
      void closed.then(() => reject(new Error(`${file} ended: ${output.slice(-500)}`)));
    });
  return { child, closed, shows };
}
