/** Where standard input lies while it is read, until its run has a folder. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, expected, InputError, messageOf } from '../errors.ts';

/** A file that no other place has, in this process neither. */
export interface SpoolPlace {
  readonly path: string;
  /** Makes the folder of the file, not the file. Throws InputError where that cannot be. */
  prepare(): Promise<void>;
  /** Removes the file where it is still there, and what was made for it. */
  remove(): Promise<void>;
}

/** Beside the folder `run`, to which it can be moved; without one, among the temporary files of the system. */
export function spoolPlace(run: string | undefined): SpoolPlace {
  return run === undefined ? new TemporaryPlace() : new PlaceBesideRun(run);
}

/** What this process spools to. A container may give its process the same number at each start. */
const spooling = new Set<string>();

class PlaceBesideRun implements SpoolPlace {
  readonly path: string;
  /** What the names of all files begin with that hold the run's input. */
  readonly #prefix: string;
  /** The first folder that was made for it, where one was. */
  #made: string | undefined;

  constructor(run: string) {
    this.#prefix = `.${basename(run)}.stdin-`;
    this.path = join(dirname(resolve(run)), `${this.#prefix}${process.pid}-${newToken()}`);
  }

  async prepare(): Promise<void> {
    spooling.add(this.path);
    this.#made = await makeFolder(dirname(this.path));
    await this.#removeLeftOver();
  }

  /** Folders made for it stay where something else came into them. */
  async remove(): Promise<void> {
    if (!spooling.delete(this.path)) return;
    const made = this.#made;
    try {
      await rm(this.path, { force: true });
      for (let at = dirname(this.path); made && at.startsWith(made); at = dirname(at)) {
        await rmdir(at);
      }
    } catch {
      // Something lies in the folder, such as the run.
    }
  }

  /** Removes what processes that were killed have left of the same run's input. */
  async #removeLeftOver(): Promise<void> {
    const folder = dirname(this.path);
    for (const name of await readdir(folder)) {
      if (!name.startsWith(this.#prefix)) continue;
      const owner = Number(/^(\d+)-[0-9a-f]+$/.exec(name.slice(this.#prefix.length))?.[1]);
      const path = join(folder, name);
      const isUsed = owner === process.pid ? spooling.has(path) : isAlive(owner);
      if (owner > 0 && !isUsed) await rm(path, { force: true });
    }
  }
}

/** Folders that go when the process ends by itself before their places were removed, as by a second Ctrl-C. */
const temporary = new Set<string>();

/** In a folder that no other user can look into. */
class TemporaryPlace implements SpoolPlace {
  readonly #folder = join(tmpdir(), `threadloom-stdin-${newToken()}`);
  readonly path = join(this.#folder, 'stdin.txt');

  async prepare(): Promise<void> {
    try {
      mkdirSync(this.#folder, { mode: 0o700 });
    } catch (error) {
      const what = `a folder for temporary files that can be written (${messageOf(error)})`;
      throw new InputError(expected(what, tmpdir(), 'Set TMPDIR to another.'), { cause: error });
    }
    if (temporary.size === 0) process.on('exit', removeTemporary);
    temporary.add(this.#folder);
  }

  async remove(): Promise<void> {
    if (!temporary.delete(this.#folder)) return;
    if (temporary.size === 0) process.off('exit', removeTemporary);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function removeTemporary(): void {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
}

function newToken(): string {
  return randomBytes(8).toString('hex');
}

/** Returns the first folder that was made. */
async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (error) {
    throw new InputError(
      `Expected --run to be a folder that can be written, got ${path} (${messageOf(error)}). Choose another --run.`,
      { cause: error },
    );
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
