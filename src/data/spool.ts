/** Standard input as a file, so that it can be read more than once. */
import { open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InputError, messageOf, show, TrainingError } from '../errors.ts';

/**
 * Writes all of `input` to a new file, no faster than the disk takes it, and returns its bytes. A file
 * that is not complete does not stay. Throws InputError for an input without a byte, TrainingError where
 * reading or writing fails, and the signal's reason when it aborts.
 */
export async function spool(input: Readable, path: string, signal?: AbortSignal): Promise<number> {
  try {
    const file = await open(path, 'wx');
    try {
      // Flushed: on the disk before its end is told.
      const output = file.createWriteStream({ flush: true });
      await pipeline(input, output, { signal });
      if (output.bytesWritten === 0) {
        throw new InputError('Expected text on standard input, got none. Pipe a text into it.');
      }
      return output.bytesWritten;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    signal?.throwIfAborted();
    throw new TrainingError(
      `Could not store standard input in ${show(path)}: ${messageOf(error)}`,
      {},
      { cause: error },
    );
  }
}
