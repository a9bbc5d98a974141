import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pack } from 'msgpackr';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import { InputError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleState, seal, writeSample, writeSealed } from './samples.ts';

function refused(t: ExecutionContext, path: string, message: RegExp, note?: string): void {
  const error = t.throws(() => openCheckpoint(path), { instanceOf: InputError, message }, note);
  t.false(error.message.includes('\n'));
  t.true(error.message.startsWith(`Cannot use checkpoint ${JSON.stringify(path)}: `));
  t.is(error.message.match(/Cannot use/g)?.length, 1);
}

test('A checkpoint cut at any length is called truncated', (t) => {
  const folder = temporaryFolder(t);
  const whole = readFileSync(writeSample(folder));
  const path = join(folder, 'cut.ckpt');
  for (let length = 0; length < whole.length; length += 37) {
    writeFileSync(path, whole.subarray(0, length));
    refused(t, path, /truncated/, `cut at ${length}`);
  }
  writeFileSync(path, whole.subarray(0, -1));
  refused(t, path, /truncated/);
});

test('A checkpoint with any bit flipped is refused', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'flipped.ckpt');
  const whole = readFileSync(writeSample(folder));
  const sampled = [...whole.keys()].filter((at) => at < 24 || at % 29 === 0);
  for (const at of [...sampled, whole.length - 1]) {
    for (const bit of at < 24 ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
      whole[at] ^= 1 << bit;
      writeFileSync(path, whole);
      refused(t, path, /damaged|truncated|not a checkpoint|newer/, `byte ${at}, bit ${bit}`);
      whole[at] ^= 1 << bit;
    }
  }
  writeFileSync(path, whole);
  t.notThrows(() => openCheckpoint(path).close());
});

test('A checkpoint of a newer format says which', (t) => {
  const path = writeSample(temporaryFolder(t));
  const bytes = readFileSync(path);
  bytes.writeUint32LE(2, 8);
  writeFileSync(path, seal(bytes));
  refused(t, path, /format version 2, written by a newer Threadloom; this one reads up to 1/);
});

const refuses = test.macro({
  title: (name) => `${name} is refused in one line`,
  exec(t, make: (path: string) => void, message: RegExp) {
    const path = join(temporaryFolder(t), 'file.ckpt');
    make(path);
    refused(t, path, message);
  },
});

test('A missing file', refuses, () => {}, /no such file/);
test('A folder', refuses, (path) => mkdirSync(path), /not a regular file/);
test('A loop of links', refuses, (path) => symlinkSync(path, path), /ELOOP/);
test('A text', refuses, (path) => writeFileSync(path, 'hello world'), /not a checkpoint/);
test('A PNG', refuses, (path) => writeFileSync(path, '\x89PNG\r\n', 'latin1'), /not a checkpoint/);
test('A short foreign file', refuses, (path) => writeFileSync(path, 'PK'), /not a checkpoint/);
test('An empty file', refuses, (path) => writeFileSync(path, ''), /truncated/);
test(
  'A checkpoint with bytes behind its end',
  refuses,
  (path) => {
    const whole = readFileSync(writeSample(join(path, '..')));
    writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]));
  },
  /damaged/,
);

/** Headers as a hostile writer would make them: the file's lengths and checksum are right. */
const hostile = test.macro({
  title: (name) => `A header with ${name} is refused in one line`,
  exec(t, header: Uint8Array | object, message?: RegExp) {
    const path = join(temporaryFolder(t), 'hostile.ckpt');
    const bytes = header instanceof Uint8Array ? header : pack(header);
    writeSealed(path, bytes, new Uint8Array(64));
    refused(t, path, message ?? /header cannot be read/);
  },
});

const tensor = { name: 'w', type: 'float32', shape: [4, 4], offsetBytes: 0 };
const whole = { ...sampleState(), tensors: [tensor] };
const withTensor = (change: object) => ({ ...whole, tensors: [{ ...tensor, ...change }] });

test('Such a header without malice opens', (t) => {
  const path = join(temporaryFolder(t), 'friendly.ckpt');
  writeSealed(path, pack(whole), new Uint8Array(64));
  const file = openCheckpoint(path);
  t.deepEqual(file.header.tensors, whole.tensors as typeof file.header.tensors);
  file.close();
});

test('nothing in it', hostile, new Uint8Array(0));
test('an array where the map should be', hostile, [1, 2, 3]);
test('a missing field', hostile, { ...whole, model: undefined });
test('a surplus field', hostile, { ...whole, surplus: 1 });
test('a field that would move the cursor', hostile, { ...whole, '\n\x1b[2J': 1 });
test('a text for a number', hostile, { ...whole, model: { ...whole.model, hidden: '5' } });
test('a tensor without a name', hostile, withTensor({ name: '' }));
test('a tensor of an unknown type', hostile, withTensor({ type: 'float16' }));
test('a tensor of a negative size', hostile, withTensor({ shape: [-1] }));
test('a tensor of a fractional size', hostile, withTensor({ shape: [2.5] }));
test('a tensor far larger than the file', hostile, withTensor({ shape: [2 ** 32, 2 ** 32] }));
test('a tensor of overflowing size', hostile, withTensor({ shape: Array(8).fill(2 ** 32) }));
test('a tensor of too many axes', hostile, withTensor({ shape: Array(9).fill(1) }));
test('a tensor smaller than the file', hostile, withTensor({ shape: [0] }), /fill the file/);
test('a tensor elsewhere', hostile, withTensor({ offsetBytes: 64 }), /misplaced/);
test('a tensor behind the end', hostile, withTensor({ offsetBytes: 2 ** 50 }), /misplaced/);
test(
  'two tensors of one name',
  hostile,
  { ...whole, tensors: [{ ...tensor, shape: [0] }, tensor] },
  /one name/,
);
test(
  'fewer symbols than the model has',
  hostile,
  { ...whole, vocabulary: [1, 2] },
  /as many symbols/,
);
test('bytes that are not 256', hostile, { ...whole, tokens: 'byte' }, /as many symbols/);
test('a symbol beyond Unicode', hostile, { ...whole, vocabulary: [0x110000] });
test('a prototype as a setting', hostile, Buffer.from('81a95f5f70726f746f5f5f80', 'hex'));
