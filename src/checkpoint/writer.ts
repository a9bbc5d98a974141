/** Writing of one checkpoint file. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { WORD_BYTES } from '../memory/table.ts';
import type { TensorSource } from '../pool/actor-protocol.ts';
import { bytesOf, CHECKSUM_BYTES, layOut } from './format.ts';
import type { CheckpointState } from './header.ts';

/** Pieces are copied here first: hashing refuses shared memory. One for all files: a file is written without a break. */
const block = new Uint8Array(1 << 20);
/** Written between two syncs: on a slow disk one sync of all would look like a thread that hangs. */
const SYNC_BYTES = 64 << 20;

/**
 * Writes a checkpoint, its tensors straight from `arena`, and returns its bytes. It is then complete and on the disk, its name
 * may not be: give it one by `moveDurably`. On an error a part of it stays. `pulse` (1) counts
 * pieces written.
 */
export function writeCheckpoint(
  path: string,
  state: CheckpointState,
  sources: readonly TensorSource[],
  arena: ArrayBufferLike,
  pulse: Int32Array = new Int32Array(1),
): number {
  const { bytes, tensors, fileBytes } = layOut(state, sources);
  const output = new HashedFile(path, pulse);
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
  return fileBytes;
}

/** A new file that ends with the hash of all that was written to it. */
class HashedFile {
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  readonly #pulse: Int32Array;
  #length = 0;
  #unsynced = 0;

  constructor(path: string, pulse: Int32Array) {
    rmSync(path, { force: true });
    // Exclusively: a link that comes in between is not followed.
    this.#descriptor = openSync(path, 'wx');
    this.#pulse = pulse;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += block.length) {
      const source = bytes.subarray(at, at + block.length);
      const piece = block.subarray(0, source.length);
      piece.set(source);
      this.#hash.update(piece);
      this.#append(piece);
      Atomics.add(this.#pulse, 0, 1);
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
    this.#unsynced += bytes.length;
    if (this.#unsynced < SYNC_BYTES) return;
    fsyncSync(this.#descriptor);
    this.#unsynced = 0;
  }
}
