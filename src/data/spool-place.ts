/** Where standard input lies until its run has a folder. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, InputError, messageOf } from '../errors.ts';

/** What this process spools to. A container may give its process the same number at each start. */
const spooling = new Set<string>();

/** A file beside the folder of a run. No other place has its name, in this process neither. */
export class SpoolPlace {
  readonly path: string;
  /** What the names of all files begin with that hold the run's input. */
  readonly #prefix: string;
  /** The first folder that was made for it, where one was. */
  #made: string | undefined;

  constructor(run: string) {
    this.#prefix = `.${basename(run)}.stdin-`;
    const token = randomBytes(8).toString('hex');
    this.path = join(dirname(resolve(run)), `${this.#prefix}${process.pid}-${token}`);
  }

  /** Makes the folder of the file, not the file. Throws InputError where that cannot be. */
  async prepare(): Promise<void> {
    spooling.add(this.path);
    this.#made = await makeFolder(dirname(this.path));
    await this.#removeLeftOver();
  }

  /** Removes the file, and the folders made for it where nothing else came into them. */
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
