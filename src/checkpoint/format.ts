/**
 * The bytes of a checkpoint file. Pure. Numbers are little-endian.
 *
 * | bytes           | what                                                                              |
 * |-----------------|-----------------------------------------------------------------------------------|
 * | 0 … 7           | magic                                                                             |
 * | 8 … 11          | uint32, version of the format                                                     |
 * | 12 … 15         | uint32, length of the header in bytes                                             |
 * | 16 … 23         | uint64, length of the whole file in bytes                                         |
 * | 24 …            | header: MessagePack of plain values, checked by header.ts; then zeros up to 64    |
 * | …               | tensors in the header's order, row-major, each from a multiple of 64 bytes on     |
 * | last 32         | SHA-256 of everything before                                                      |
 */
import { Packr, Unpackr } from 'msgpackr';
import { formatBytes } from '../bytes.ts';
import { InputError, messageOf, NewerVersionError, show } from '../errors.ts';
import { MAX_ARENA_BYTES } from '../memory/arena.ts';
import type { ElementType } from '../memory/table.ts';
import {
  type CheckpointHeader,
  type CheckpointState,
  checkHeader,
  MAX_TENSORS,
  type TensorEntry,
} from './header.ts';
import { requirePlain } from './plain-messagepack.ts';

/** Raised whenever an older reader could not read what is written. */
export const FORMAT_VERSION = 1;
export const PREFIX_BYTES = 24;
export const CHECKSUM_BYTES = 32;
/** Longest header: a vocabulary of all code points takes 6 MB. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;
const ALIGNMENT_BYTES = 64;
/** Longest file: all its tensors lay in an arena. */
const MAX_FILE_BYTES =
  PREFIX_BYTES +
  MAX_HEADER_BYTES +
  MAX_ARENA_BYTES +
  (MAX_TENSORS + 1) * ALIGNMENT_BYTES +
  CHECKSUM_BYTES;

/** As PNG's: a byte that no text has, a name, and line ends that a transfer as text would change. */
const MAGIC = Uint8Array.of(0x89, 0x54, 0x4c, 0x4f, 0x4f, 0x4d, 0x0d, 0x0a);

const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { float32: 4, int32: 4, float64: 8 };

export type TensorShape = Pick<TensorEntry, 'name' | 'type' | 'shape'>;

export interface Prefix {
  headerBytes: number;
  fileBytes: number;
}

export function bytesOf(tensor: Pick<TensorShape, 'type' | 'shape'>): number {
  return tensor.shape.reduce((product, size) => product * size, ELEMENT_BYTES[tensor.type]);
}

/** A file about to be written. */
export interface Opening {
  /** Everything before the tensors. */
  bytes: Uint8Array;
  tensors: TensorEntry[];
  fileBytes: number;
}

/** One for all headers: a new one leaves a kilobyte to collect. */
const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Lays out a file. Throws an Error where its header is longer than a reader takes. */
export function layOut(state: CheckpointState, shapes: readonly TensorShape[]): Opening {
  const tensors = placeTensors(shapes);
  const header = packr.pack({ tensors, ...state } satisfies CheckpointHeader);
  if (header.length > MAX_HEADER_BYTES) throw new Error(`The header takes ${header.length} bytes`);
  const bytes = new Uint8Array(align(PREFIX_BYTES + header.length));
  const fileBytes = bytes.length + lengthOf(tensors) + CHECKSUM_BYTES;
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, header.length, true);
  view.setBigUint64(16, BigInt(fileBytes), true);
  bytes.set(header, PREFIX_BYTES);
  return { bytes, tensors, fileBytes };
}

/**
 * Reads the first bytes of a file of `fileBytes`, at most PREFIX_BYTES of them. Throws InputError where they
 * are no checkpoint's, of a newer version, or do not fit the file's length, or where no checkpoint is so long.
 */
export function readPrefix(bytes: Uint8Array, fileBytes: number): Prefix {
  if (bytes.some((byte, i) => i < MAGIC.length && byte !== MAGIC[i])) {
    throw new InputError('it is not a checkpoint of Threadloom');
  }
  if (bytes.length < PREFIX_BYTES) throw truncated();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version > FORMAT_VERSION) {
    throw new NewerVersionError(
      `it has format version ${version}, written by a newer Threadloom; ` +
        `this one reads up to ${FORMAT_VERSION}`,
    );
  }
  const headerBytes = view.getUint32(12, true);
  const declared = view.getBigUint64(16, true);
  if (declared > BigInt(fileBytes)) throw truncated();
  if (fileBytes > MAX_FILE_BYTES) {
    throw new InputError(`it is larger than any checkpoint can be: ${formatBytes(fileBytes)}`);
  }
  if (
    version === 0 ||
    declared < BigInt(fileBytes) ||
    headerBytes > MAX_HEADER_BYTES ||
    firstTensorByte(headerBytes) + CHECKSUM_BYTES > fileBytes
  ) {
    throw damaged();
  }
  return { headerBytes, fileBytes };
}

/** Reads a header, of a file whose checksum need not hold. Throws InputError naming what is wrong with it. */
export function readHeader(
  bytes: Uint8Array,
  { headerBytes, fileBytes }: Prefix,
): CheckpointHeader {
  const header = unpackHeader(bytes);
  const places = placeTensors(header.tensors);
  header.tensors.forEach(({ name, offsetBytes }, i) => {
    if (offsetBytes !== places[i].offsetBytes)
      throw unreadable(`tensor ${show(name)} is misplaced`);
  });
  if (new Set(header.tensors.map(({ name }) => name)).size < header.tensors.length) {
    throw unreadable('two tensors have one name');
  }
  if (firstTensorByte(headerBytes) + lengthOf(places) + CHECKSUM_BYTES !== fileBytes) {
    throw unreadable('its tensors do not fill the file');
  }
  return header;
}

function unpackHeader(bytes: Uint8Array): CheckpointHeader {
  try {
    requirePlain(bytes);
    return checkHeader(new Unpackr({ useRecords: false, int64AsType: 'number' }).unpack(bytes));
  } catch (error) {
    throw unreadable(messageOf(error));
  }
}

/** Where the tensors of a file begin. */
export function firstTensorByte(headerBytes: number): number {
  return align(PREFIX_BYTES + headerBytes);
}

/** One after another, each from a multiple of 64 bytes on. */
function placeTensors(shapes: readonly TensorShape[]): TensorEntry[] {
  let offsetBytes = 0;
  return shapes.map(({ name, type, shape }) => {
    const entry = { name, type, shape: [...shape], offsetBytes };
    offsetBytes += align(bytesOf(entry));
    return entry;
  });
}

/** Bytes of all tensors, each filled up to a multiple of 64. */
function lengthOf(tensors: readonly TensorEntry[]): number {
  const last = tensors.at(-1);
  return last ? last.offsetBytes + align(bytesOf(last)) : 0;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

function truncated(): InputError {
  return new InputError('it is truncated: its end is missing');
}

export function damaged(): InputError {
  return new InputError('it is damaged: its contents do not match its checksum');
}

function unreadable(why: string): InputError {
  return new InputError(`it is damaged: its header cannot be read: ${why}`);
}
