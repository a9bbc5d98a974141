/** Checkpoints to write in tests. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointState } from '../../src/checkpoint/header.ts';
import { writeCheckpoint } from '../../src/checkpoint/writer.ts';
import type { TensorSource } from '../../src/pool/actor-protocol.ts';

export function sampleState(step = 12): CheckpointState {
  return {
    threadloom: '0.1.0',
    model: {
      cell: 'lstm',
      activation: 'tanh',
      vocabulary: 3,
      embed: 2,
      hidden: 5,
      layers: 1,
      dropout: 0.1,
    },
    config: { files: ['a.txt'], lr: 2e-3, nested: { deep: [1, null, true] } },
    tokens: 'char',
    vocabulary: [0x61, 0xe9, 0x1f600],
    backend: 'wasm',
    variant: 'relaxed',
    optimizer: 'adam',
    progress: {
      step,
      epoch: 1,
      chunk: 4,
      tokens: 2 ** 40,
      elapsedSeconds: 1.25,
      lastLoss: 1.5,
      bestLoss: null,
      lastEvalLoss: 2.5,
      evaluatedStep: 8,
      sampledStep: 4,
      finished: false,
      logBytes: { steps: 100, timings: 2 ** 33, evals: 0, gradients: 7, samples: 0 },
    },
    corpus: {
      sha256: 'ab'.repeat(32),
      trainSymbols: 900,
      valSymbols: 100,
      train: [{ path: '/data/ä.txt', bytes: 1000 }],
      val: [],
    },
  };
}

export interface Sample {
  arena: SharedArrayBuffer;
  sources: TensorSource[];
}

/** An arena with tensors of every type and odd sizes, filled with numbers that tell their place. */
export function sampleTensors(): Sample {
  const arena = new SharedArrayBuffer(16_384);
  const words = new Uint32Array(arena);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 0x9e3779b1);
  return {
    arena,
    sources: [
      { name: 'parameters', type: 'float32', shape: [7, 5], offset: 16 },
      { name: 'empty', type: 'float32', shape: [0, 4], offset: 64 },
      { name: 'partials', type: 'float64', shape: [3], offset: 128 },
      { name: 'counts', type: 'int32', shape: [2, 3, 4], offset: 1024 },
      { name: 'scalar', type: 'int32', shape: [], offset: 2048 },
    ],
  };
}

export function writeSample(folder: string, name = 'step-00000012.ckpt'): string {
  const { arena, sources } = sampleTensors();
  const path = join(folder, name);
  writeCheckpoint(path, sampleState(), sources, arena);
  return path;
}

/** A file whose prefix and checksum are right, whatever the header's bytes are. */
export function writeSealed(path: string, header: Uint8Array, tensors: Uint8Array): void {
  const start = Math.ceil((24 + header.length) / 64) * 64;
  const bytes = Buffer.alloc(start + tensors.length + 32);
  bytes.set([0x89, ...Buffer.from('TLOOM\r\n', 'latin1')]);
  bytes.writeUint32LE(1, 8);
  bytes.writeUint32LE(header.length, 12);
  bytes.writeBigUint64LE(BigInt(bytes.length), 16);
  bytes.set(header, 24);
  bytes.set(tensors, start);
  writeFileSync(path, seal(bytes));
}

/** Puts the checksum of the other bytes into the last 32. */
export function seal(bytes: Buffer): Buffer {
  const content = bytes.subarray(0, -32);
  createHash('sha256').update(content).digest().copy(bytes, content.length);
  return bytes;
}
