import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { bytesOf } from '../../src/checkpoint/format.ts';
import { checkState } from '../../src/checkpoint/header.ts';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import { writeCheckpoint } from '../../src/checkpoint/writer.ts';
import { InputError } from '../../src/errors.ts';
import type { ElementType } from '../../src/memory/table.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleState, sampleTensors, writeSample } from './samples.ts';

const ARRAYS = { float32: Float32Array, int32: Int32Array, float64: Float64Array };

const rawBytes = (array: Float32Array | Int32Array | Float64Array) =>
  Buffer.from(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));

test('What was written is read: state, list of tensors, and every tensor to the bit', (t) => {
  const { arena, sources } = sampleTensors();
  const file = openCheckpoint(writeSample(temporaryFolder(t)));
  t.teardown(() => file.close());
  const { tensors, ...state } = file.header;
  t.deepEqual(state, sampleState());
  t.deepEqual(
    tensors.map(({ name, type, shape }) => ({ name, type, shape })),
    sources.map(({ name, type, shape }) => ({ name, type, shape })),
  );
  for (const { name, type, shape, offset } of sources) {
    const length = shape.reduce((a, b) => a * b, 1);
    const target = new ARRAYS[type](length);
    file.readTensor(name, target, shape);
    const wanted = Buffer.from(new Uint8Array(arena, offset * 4, target.byteLength));
    t.deepEqual(rawBytes(target), wanted, name);
  }
});

test('A tensor can be read into its place in shared memory', (t) => {
  const { arena } = sampleTensors();
  const file = openCheckpoint(writeSample(temporaryFolder(t)));
  t.teardown(() => file.close());
  const target = new SharedArrayBuffer(4096);
  file.readTensor('parameters', new Float32Array(target, 64, 35));
  const bytes = Buffer.from(new Uint8Array(target));
  t.deepEqual(bytes.subarray(64, 204), Buffer.from(new Uint8Array(arena, 64, 140)));
  t.true(bytes.subarray(0, 64).every((byte) => byte === 0));
  t.true(bytes.subarray(204).every((byte) => byte === 0));
});

test('Tensors of any sizes come back, also larger than the buffers', (t) => {
  const folder = temporaryFolder(t);
  const type = fc.constantFrom<ElementType>('float32', 'int32', 'float64');
  const shape = fc.array(fc.nat(9), { maxLength: 4 });
  const large = fc.constantFrom<number[]>([262_144], [262_145], [3, 131_071]);
  const arena = new SharedArrayBuffer(8 * 2 ** 20);
  const words = new Uint32Array(arena).map((_, i) => Math.imul(i, 0x85ebca6b));
  new Uint32Array(arena).set(words);
  fc.assert(
    fc.property(fc.array(fc.tuple(type, fc.oneof(shape, large)), { maxLength: 5 }), (list) => {
      const sources = list.map(([type, shape], i) => ({
        name: `tensor ${i}`,
        type,
        shape,
        offset: 16 * i,
      }));
      const path = join(folder, 'any.ckpt');
      t.is(writeCheckpoint(path, sampleState(), sources, arena), statSync(path).size);
      const file = openCheckpoint(path);
      try {
        for (const source of sources) {
          const length = bytesOf(source) / (source.type === 'float64' ? 8 : 4);
          const target = new ARRAYS[source.type](length);
          file.readTensor(source.name, target, source.shape);
          const wanted = Buffer.from(new Uint8Array(arena, source.offset * 4, target.byteLength));
          t.true(rawBytes(target).equals(wanted));
        }
      } finally {
        file.close();
      }
    }),
    { numRuns: 40, seed: 1 },
  );
});

test('The same state gives the same bytes, and no temporary file stays', (t) => {
  const [one, other] = [temporaryFolder(t), temporaryFolder(t)];
  t.deepEqual(readFileSync(writeSample(one)), readFileSync(writeSample(other)));
  t.deepEqual(readdirSync(one), ['step-00000012.ckpt']);
});

test('Settings that are undefined are left out of the configuration', (t) => {
  const config = { lr: 1, steps: undefined, list: ['a'] };
  t.deepEqual(checkState({ ...sampleState(), config }).config, { lr: 1, list: ['a'] });
});

test('A state that is wrong is refused before anything is written, naming the field', (t) => {
  const state = sampleState();
  t.throws(() => checkState({ ...state, model: { ...state.model, hidden: 0.5 } }), {
    message: /model\.hidden/,
  });
  t.throws(() => checkState({ ...state, surplus: 1 }), { message: /surplus/ });
  t.throws(() => checkState({ ...state, vocabulary: [2, 1] }), {
    message: /vocabulary: must be code points that ascend/,
  });
});

const mismatch = test.macro({
  title: (name) => `Reading ${name} is refused`,
  exec(t, name: string, target: Float32Array | Int32Array, shape: number[], message: RegExp) {
    const file = openCheckpoint(writeSample(temporaryFolder(t)));
    t.teardown(() => file.close());
    t.throws(() => file.readTensor(name, target, shape), { instanceOf: InputError, message });
    t.true(target.every((value) => value === 0));
  },
});

test(
  'a tensor that is not there',
  mismatch,
  'nothing',
  new Float32Array(1),
  [1],
  /no tensor "nothing"/,
);
test(
  'a tensor of another shape',
  mismatch,
  'parameters',
  new Float32Array(35),
  [5, 7],
  /its tensor "parameters" is float32 \(7, 5\), expected float32 \(5, 7\)/,
);
test(
  'a tensor of another length',
  mismatch,
  'parameters',
  new Float32Array(36),
  [7, 5],
  /expected/,
);
test('a tensor of another type', mismatch, 'parameters', new Int32Array(35), [7, 5], /int32/);
