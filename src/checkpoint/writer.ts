/** Writing of one checkpoint file: all of it or nothing. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { WORD_BYTES } from '../memory/table.ts';
import type { TensorSource } from '../pool/protocol.ts';
import { bytesOf, CHECKSUM_BYTES, layOut } from './format.ts';
import type { CheckpointState } from './header.ts';

/** What a file is called until it is complete: never taken for a checkpoint. */
export const TEMPORARY_SUFFIX = '.tmp';

const BLOCK_BYTES = 1 << 20;

/**
 * Writes a checkpoint, its tensors straight from `arena`, and returns its bytes. The file appears under its
 * name complete and on the disk, or not at all: on any error the temporary one is removed.
 */
export function writeCheckpoint(
  path: string,
  state: CheckpointState,
  sources: readonly TensorSource[],
  arena: ArrayBufferLike,
): number {
  const { bytes, tensors, fileBytes } = layOut(state, sources);
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    const output = new HashedFile(temporary);
    try {
      output.write(bytes);
      tensors.forEach((tensor, i) => {
        const first = sources[i].offset * WORD_BYTES;
        output.fillTo(bytes.length + tensor.offsetBytes);
        output.write(new Uint8Array(arena, first, bytesOf(tensor)));
      });
      output.fillTo(fileBytes - CHECKSUM_BYTES);
      output.finish();
    } finally {
      output.close();
    }
    moveDurably(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return fileBytes;
}

/** Renames a file that is on the disk, and puts the new name there too. */
export function moveDurably(from: string, to: string): void {
  renameSync(from, to);
  if (process.platform === 'win32') return; // A folder cannot be opened there.
  const folder = openSync(dirname(to), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A new file that ends with the hash of all that was written to it. */
class HashedFile {
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  /** Pieces are copied here first: hashing refuses shared memory. */
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #length = 0;

  constructor(path: string) {
    rmSync(path, { force: true });
    // Exclusively: a link that comes in between is not followed.
    this.#descriptor = openSync(path, 'wx');
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const source = bytes.subarray(at, at + BLOCK_BYTES);
      const piece = this.#block.subarray(0, source.length);
      piece.set(source);
      this.#hash.update(piece);
      this.#append(piece);
    }
    this.#length += bytes.length;
  }

  /** Appends zeros up to a length. */
  fillTo(length: number): void {
    this.write(new Uint8Array(length - this.#length));
  }

  /** Appends the hash and waits until all is on the disk. */
  finish(): void {
    this.#append(this.#hash.digest());
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done);
    }
  }
}
