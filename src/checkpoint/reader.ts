/** Reading of one checkpoint file. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errorCode, InputError, messageOf, show } from '../errors.ts';
import type { ElementType } from '../memory/table.ts';
import {
  bytesOf,
  CHECKSUM_BYTES,
  damaged,
  firstTensorByte,
  PREFIX_BYTES,
  type Prefix,
  readHeader,
  readPrefix,
} from './format.ts';
import type { CheckpointHeader, TensorEntry } from './header.ts';

const BLOCK_BYTES = 1 << 20;

export type TensorArray = Float32Array | Int32Array | Float64Array;

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  float64: Float64Array,
} as const satisfies Record<ElementType, unknown>;

/** An open checkpoint whose checksum holds and whose header is checked. */
export class CheckpointFile {
  readonly path: string;
  readonly header: CheckpointHeader;
  /** Of the file. */
  readonly bytes: number;
  readonly #descriptor: number;
  readonly #firstTensorByte: number;
  readonly #tensors: ReadonlyMap<string, TensorEntry>;
  #isOpen = true;

  /** `descriptor` is closed by `close`. */
  constructor(path: string, header: CheckpointHeader, prefix: Prefix, descriptor: number) {
    this.path = path;
    this.header = header;
    this.bytes = prefix.fileBytes;
    this.#descriptor = descriptor;
    this.#firstTensorByte = firstTensorByte(prefix.headerBytes);
    this.#tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /** Name, type and shape of a tensor. Throws InputError where the checkpoint has none of that name. */
  tensor(name: string): TensorEntry {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw refusal(this.path, `it has no tensor ${show(name)}`);
    return tensor;
  }

  /**
   * Reads a tensor, row-major, into `target`, which may lie in shared memory. Throws InputError where the
   * checkpoint does not have it in the target's type and length, and in `shape` where that is given.
   */
  readTensor(name: string, target: TensorArray, shape?: readonly number[]): void {
    const tensor = this.tensor(name);
    const fits =
      target instanceof ARRAYS[tensor.type] &&
      target.byteLength === bytesOf(tensor) &&
      (shape === undefined || shape.join() === tensor.shape.join());
    if (!fits) {
      const wanted = `${typeOf(target)} (${(shape ?? [target.length]).join(', ')})`;
      const stored = `${tensor.type} (${tensor.shape.join(', ')})`;
      throw refusal(this.path, `its tensor ${show(name)} is ${stored}, expected ${wanted}`);
    }
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    refusing(this.path, () =>
      readFully(this.#descriptor, bytes, this.#firstTensorByte + tensor.offsetBytes),
    );
  }

  /** May be called again; no tensor can be read any more. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }
}

/**
 * Opens a checkpoint and checks all of it, in bounded memory. Throws InputError, in one line, for a file that
 * is missing, unreadable, not a checkpoint, of a newer version, truncated or damaged.
 */
export function openCheckpoint(path: string): CheckpointFile {
  const descriptor = refusing(path, () => openRegular(path));
  try {
    return refusing(path, () => {
      const prefix = readPrefixOf(descriptor);
      const bytes = new Uint8Array(prefix.headerBytes);
      readFully(descriptor, bytes, PREFIX_BYTES);
      // First: a file may be gibibytes longer than its tensors, and hashing it would take as long.
      const header = readHeader(bytes, prefix);
      verifyChecksum(descriptor, prefix.fileBytes);
      return new CheckpointFile(path, header, prefix, descriptor);
    });
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openRegular(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new InputError('there is no such file');
  if (!stats.isFile()) throw new InputError('it is not a regular file');
  return openSync(path, 'r');
}

function readPrefixOf(descriptor: number): Prefix {
  const { size } = fstatSync(descriptor);
  const bytes = new Uint8Array(Math.min(PREFIX_BYTES, size));
  readFully(descriptor, bytes, 0);
  return readPrefix(bytes, size);
}

function verifyChecksum(descriptor: number, fileBytes: number): void {
  const hash = createHash('sha256');
  const block = new Uint8Array(Math.min(BLOCK_BYTES, fileBytes));
  const end = fileBytes - CHECKSUM_BYTES;
  for (let at = 0; at < end; at += block.length) {
    const piece = block.subarray(0, Math.min(block.length, end - at));
    readFully(descriptor, piece, at);
    hash.update(piece);
  }
  const stored = new Uint8Array(CHECKSUM_BYTES);
  readFully(descriptor, stored, end);
  if (!hash.digest().equals(stored)) throw damaged();
}

/** Fills `into` from byte `first` of the file on. */
function readFully(descriptor: number, into: Uint8Array, first: number): void {
  for (let done = 0; done < into.length; ) {
    const length = Math.min(into.length - done, BLOCK_BYTES);
    const got = readSync(descriptor, into, done, length, first + done);
    if (got === 0) throw new InputError('it became shorter while it was read');
    done += got;
  }
}

/** Does `work`; what the file or the system is to blame for becomes the one line that refuses the file. */
function refusing<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const ofFile = error instanceof InputError || errorCode(error) !== undefined;
    throw ofFile ? refusal(path, messageOf(error), error) : error;
  }
}

function refusal(path: string, why: string, cause?: unknown): InputError {
  // What a hostile header names must not disturb a terminal.
  const line = why.replace(/\p{C}/gu, '?');
  return new InputError(`Cannot use checkpoint ${show(path)}: ${line}.`, { cause });
}

function typeOf(target: TensorArray): ElementType {
  if (target instanceof Float64Array) return 'float64';
  return target instanceof Int32Array ? 'int32' : 'float32';
}
