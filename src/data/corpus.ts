/** A run's text: scanned, indexed, and a loader thread that reads chunks of it. */
import { closeSync } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { errorCode, InputError } from '../errors.ts';
import type { CorpusIndex, LoaderApi, ScanRequest } from '../pool/actor-protocol.ts';
import { type LastingActor, startLastingActor } from '../pool/lasting-actor.ts';
import { spool } from './spool.ts';
import { spoolPlace } from './spool-place.ts';
import { openTextFile } from './text-file.ts';

const ENTRY = new URL('../../workers/loader-worker.js', import.meta.url);
/** The file name that stands for standard input. */
export const STANDARD_INPUT = '-';

export interface CorpusRequest extends ScanRequest {
  /**
   * Folder of the run: standard input is kept beside it until the run starts. Without a run it is among the temporary files
   * of the system until the corpus is closed.
   */
  run?: string;
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
  const place = usesInput(request) ? spoolPlace(run) : undefined;
  const loader = startLastingActor<LoaderApi>('loader', ENTRY, {
    setUp: ['use'],
    limitSeconds,
    onWarning,
  });
  const stop = () => void loader.terminate();
  signal?.addEventListener('abort', stop);
  const close = async () => {
    await loader.terminate();
    await place?.remove();
  };
  try {
    signal?.throwIfAborted();
    if (place) {
      refuseUnreadable(request);
      await place.prepare();
      await spoolInput(stdin, place.path, signal);
    }
    const pathOf = (name: string) => (place && name === STANDARD_INPUT ? place.path : name);
    const index = await loader.calls.scan(
      {
        ...request,
        trainPaths: request.trainPaths.map(pathOf),
        valPaths: request.valPaths.map(pathOf),
      },
      loader.pulse,
    );
    const file = [...index.train, ...index.val].find((one) => one.path === place?.path);
    return {
      index,
      loader,
      close,
      placeSpooled(path) {
        if (file) file.path = path;
      },
      async moveSpooled() {
        if (!place || !file) return;
        await moveDurably(place.path, file.path);
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

/** Throws InputError where it is named more than once. */
function usesInput({ trainPaths, valPaths }: ScanRequest): boolean {
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
