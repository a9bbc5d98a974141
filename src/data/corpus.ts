/** A run's text: scanned, indexed, and a loader thread that reads chunks of it. */
import { closeSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { errorCode, InputError, messageOf } from '../errors.ts';
import type { CorpusIndex, LoaderApi, ScanRequest } from '../pool/actor-protocol.ts';
import { type LastingActor, startLastingActor } from '../pool/lasting-actor.ts';
import { spool } from './spool.ts';
import { openTextFile } from './text-file.ts';

const ENTRY = new URL('../../workers/loader-worker.js', import.meta.url);
/** The file name that stands for standard input. */
export const STANDARD_INPUT = '-';
/** What this process spools to. A container may give its process the same number at each start. */
const spooling = new Set<string>();

export interface CorpusRequest extends ScanRequest {
  /** Folder of the run: standard input is kept beside it until the run starts. */
  run: string;
}

export interface Corpus {
  readonly index: CorpusIndex;
  readonly loader: LastingActor<LoaderApi>;
  /** Names in the index where standard input will be kept. */
  placeSpooled(path: string): void;
  /** Moves it there. Must precede the loader's `use`. */
  moveSpooled(): Promise<void>;
  /** Ends the loader and removes what was spooled and not moved. */
  close(): Promise<void>;
}

export interface CorpusOptions {
  stdin?: Readable;
  signal?: AbortSignal;
  /** A loader that makes no progress for so long is replaced; 0: never. */
  limitSeconds?: number;
  onWarning?(message: string): void;
}

/** Reads all files once. Throws InputError for what cannot be read as text, and the signal's reason when it aborts. */
export async function openCorpus(
  { run, ...request }: CorpusRequest,
  { stdin, signal, limitSeconds, onWarning }: CorpusOptions,
): Promise<Corpus> {
  const spooled = join(dirname(resolve(run)), `.${basename(run)}.stdin-${process.pid}`);
  const usesInput = refuseSecondInput(request);
  const loader = startLastingActor<LoaderApi>('loader', ENTRY, {
    setUp: ['use'],
    limitSeconds,
    onWarning,
  });
  const stop = () => void loader.terminate();
  signal?.addEventListener('abort', stop);
  let made: string | undefined;
  const close = async () => {
    await loader.terminate();
    if (usesInput) await removeSpooled(spooled, made);
    spooling.delete(spooled);
  };
  try {
    signal?.throwIfAborted();
    if (usesInput) {
      refuseUnreadable(request);
      made = await makeFolderOf(spooled);
      await removeLeftOver(spooled);
      spooling.add(spooled);
      await spoolInput(stdin, spooled, signal);
    }
    const pathOf = (name: string) => (name === STANDARD_INPUT ? spooled : name);
    const index = await loader.calls.scan(
      {
        ...request,
        trainPaths: request.trainPaths.map(pathOf),
        valPaths: request.valPaths.map(pathOf),
      },
      loader.pulse,
    );
    const file = [...index.train, ...index.val].find((one) => one.path === spooled);
    return {
      index,
      loader,
      close,
      placeSpooled(path) {
        if (file) file.path = path;
      },
      async moveSpooled() {
        if (!file) return;
        await moveDurably(spooled, file.path);
        file.modifiedMs = (await stat(file.path)).mtimeMs; // It may have been copied.
      },
    };
  } catch (error) {
    await close();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function refuseSecondInput({ trainPaths, valPaths }: ScanRequest): boolean {
  const uses = [...trainPaths, ...valPaths].filter((path) => path === STANDARD_INPUT).length;
  if (uses > 1)
    throw new InputError(`Expected - (standard input) at most once, got it ${uses} times.`);
  return uses === 1;
}

/** All other files are looked at before a long input is read for nothing. Throws InputError for one that cannot be read. */
function refuseUnreadable({ trainPaths, valPaths }: ScanRequest): void {
  for (const path of [...trainPaths, ...valPaths]) {
    if (path !== STANDARD_INPUT) closeSync(openTextFile(path).descriptor);
  }
}

async function spoolInput(stdin: Readable | undefined, path: string, signal?: AbortSignal) {
  if (!stdin) throw new InputError('Expected standard input to be given with the file name -.');
  await spool(stdin, path, signal);
}

/** Returns the first folder that was made. */
async function makeFolderOf(path: string): Promise<string | undefined> {
  try {
    return await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw new InputError(
      `Expected --run to be a folder that can be written, got ${dirname(path)} (${messageOf(error)}). Choose another --run.`,
      { cause: error },
    );
  }
}

/** Removes the file, and the folders made for it where nothing else came into them. */
async function removeSpooled(path: string, made: string | undefined): Promise<void> {
  try {
    await rm(path, { force: true });
    for (let folder = dirname(path); made && folder.startsWith(made); folder = dirname(folder)) {
      await rmdir(folder);
    }
  } catch {
    // Something lies in the folder, such as the run.
  }
}

/** Into a new folder, so that it is there after the power failed. */
async function moveDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await move(from, to);
  if (process.platform !== 'win32') await syncPath(dirname(to), 'r'); // A folder cannot be opened there.
}

async function syncPath(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The folder of a run may be on another disk than its neighbours: a volume of its own. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    await copyFile(from, to);
    await syncPath(to, 'r+');
    await rm(from);
  }
}

/** Removes what processes that were killed have left of the same run's input. */
async function removeLeftOver(spooled: string): Promise<void> {
  const folder = dirname(spooled);
  const prefix = basename(spooled).slice(0, -String(process.pid).length);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number(name.slice(prefix.length));
    const isUsed = owner === process.pid ? spooling.has(spooled) : isAlive(owner);
    if (owner > 0 && !isUsed) await rm(join(folder, name), { force: true });
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
