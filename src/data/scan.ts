/** The one pass over all files of a corpus before a run. */
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { InputError, show } from '../errors.ts';
import type { CorpusIndex, FileIndex, ScanRequest } from '../pool/actor-protocol.ts';
import { openTextFile, unreadable } from './text-file.ts';
import { type Meet, TextScanner } from './text-scanner.ts';
import { CODE_POINTS, describeCodePoint } from './utf8.ts';
import { BYTE_VOCABULARY } from './vocabulary.ts';

const BLOCK_BYTES = 1 << 20;

/**
 * Reads every file once, in constant memory: counts symbols, hashes the contents, checks UTF-8 (characters
 * only), finds the distinct characters or checks them against a given vocabulary, and indexes them.
 * Throws InputError for a file that is missing, empty, unreadable, not regular, not UTF-8 (with its byte
 * offset) or has a character outside the given vocabulary (with its character and byte offset).
 * `pulse` (1) counts the blocks read, for who waits.
 */
export function scanCorpus(
  request: ScanRequest,
  pulse: Int32Array = new Int32Array(1),
): CorpusIndex {
  const hash = createHash('sha256');
  const see: See = (bytes) => {
    hash.update(bytes);
    Atomics.add(pulse, 0, 1);
  };
  const known = new Uint8Array(CODE_POINTS);
  for (const codePoint of request.vocabulary ?? []) known[codePoint] = 1;
  const scanFile = request.tokens === 'byte' ? scanBytes : scanText;
  const scanFiles = (paths: string[]) =>
    paths.map((path) => scanFile(path, see, known, request.vocabulary));
  const train = scanFiles(request.trainPaths);
  const val = scanFiles(request.valPaths);
  return {
    tokens: request.tokens,
    train,
    val,
    trainSymbols: sum(train.map((file) => file.symbols)),
    valSymbols: sum(val.map((file) => file.symbols)),
    bytes: sum([...train, ...val].map((file) => file.bytes)),
    vocabulary:
      request.tokens === 'byte' ? [...BYTE_VOCABULARY] : (request.vocabulary ?? onesOf(known)),
    sha256: hash.digest('hex'),
  };
}

/** Given all bytes of all files, in order. */
type See = (bytes: Uint8Array) => void;

function scanBytes(path: string, see: See): FileIndex {
  const file = readBlocks(path, see, (_, end) => end);
  // Symbol i is byte i: one offset says it all.
  return { path, ...file, symbols: file.bytes, stride: file.bytes, offsets: new Float64Array(1) };
}

function scanText(
  path: string,
  see: See,
  known: Uint8Array,
  vocabulary: readonly number[] | undefined,
): FileIndex {
  const meet: Meet = vocabulary
    ? refuseOutside(path, vocabulary.length)
    : (codePoint) => {
        known[codePoint] = 1;
      };
  const scanner = new TextScanner(path, known, meet);
  const file = readBlocks(
    path,
    see,
    (block, end) => scanner.scan(block, end),
    (rest) => scanner.end(rest),
  );
  const { stride, offsets } = scanner.index;
  return { path, ...file, symbols: scanner.symbols, stride, offsets };
}

/**
 * Hands the file on in blocks: `take` gets a block and its end and returns the bytes it took, the others
 * begin the next block; `finish` gets the number of bytes left at the end of the file.
 */
function readBlocks(
  path: string,
  see: See,
  take: (block: Uint8Array, end: number) => number,
  finish?: (rest: number) => void,
): { bytes: number; modifiedMs: number } {
  const { descriptor, modifiedMs } = openTextFile(path);
  try {
    const block = new Uint8Array(BLOCK_BYTES);
    let bytes = 0;
    let rest = 0;
    for (;;) {
      const got = readBlock(path, descriptor, block, rest);
      if (got === 0) break;
      see(block.subarray(rest, rest + got));
      const taken = take(block, rest + got);
      block.copyWithin(0, taken, rest + got);
      rest += got - taken;
      bytes += got;
    }
    if (bytes === 0) throw new InputError(`Expected text in ${show(path)}, got an empty file.`);
    finish?.(rest);
    return { bytes, modifiedMs };
  } finally {
    closeSync(descriptor);
  }
}

function readBlock(path: string, descriptor: number, block: Uint8Array, first: number): number {
  try {
    return readSync(descriptor, block, first, block.length - first, null);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function refuseOutside(path: string, size: number): Meet {
  return (codePoint, character, byte) => {
    throw new InputError(
      `Expected only the ${size} characters of the model's vocabulary in ${show(path)}, got ` +
        `${describeCodePoint(codePoint)} at character ${character}, byte ${byte}. ` +
        'Remove it from the text, or train a new model with it.',
    );
  };
}

function onesOf(flags: Uint8Array): number[] {
  const ones: number[] = [];
  for (let i = flags.indexOf(1); i >= 0; i = flags.indexOf(1, i + 1)) ones.push(i);
  return ones;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
