import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { scanCorpus } from '../../src/data/scan.ts';
import { InputError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const scan = (path: string, vocabulary?: number[]) =>
  scanCorpus({ trainPaths: [path], valPaths: [], tokens: 'char', vocabulary });

function write(t: ExecutionContext, content: string | Uint8Array): string {
  const path = join(temporaryFolder(t), 'text.txt');
  writeFileSync(path, content);
  return path;
}

test('Files are counted, hashed and searched for characters, validation included', (t) => {
  const folder = temporaryFolder(t);
  const texts = { a: 'ba\n', b: 'é😀', c: 'ab中' };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name));
  const index = scanCorpus({ trainPaths: [a, b], valPaths: [c], tokens: 'char' });

  t.deepEqual(
    index.train.map(({ path, bytes, symbols }) => ({ path, bytes, symbols })),
    [
      { path: a, bytes: 3, symbols: 3 },
      { path: b, bytes: 6, symbols: 2 },
    ],
  );
  t.is(index.trainSymbols, 5);
  t.is(index.valSymbols, 3);
  t.is(index.bytes, 14);
  t.deepEqual(index.vocabulary, [0x0a, 0x61, 0x62, 0xe9, 0x4e2d, 0x1f600]);
  t.is(
    index.sha256,
    createHash('sha256')
      .update(texts.a + texts.b + texts.c)
      .digest('hex'),
  );
});

test('Bytes need not be UTF-8, and their vocabulary is all 256', (t) => {
  const path = write(t, Uint8Array.of(0xff, 0x00, 0xc3));
  const index = scanCorpus({ trainPaths: [path], valPaths: [], tokens: 'byte' });
  t.is(index.trainSymbols, 3);
  t.is(index.vocabulary.length, 256);
  t.is(index.vocabulary[255], 255);
});

test('Characters across the borders of the blocks that are read count once', (t) => {
  for (const shift of [0, 1, 2, 3]) {
    const text = 'a'.repeat((1 << 20) - shift) + '😀'.repeat(300_000);
    const index = scan(write(t, text));
    t.is(index.trainSymbols, (1 << 20) - shift + 300_000);
    t.is(index.bytes, (1 << 20) - shift + 1_200_000);
    t.deepEqual(index.vocabulary, [0x61, 0x1f600]);
  }
});

test('The index has the byte of every stride-th character', (t) => {
  const text = 'aé中😀'.repeat(20_000);
  const [file] = scan(write(t, text)).train;
  const characters = [...text];
  t.is(file.offsets.length, Math.ceil(characters.length / file.stride));
  file.offsets.forEach((offset, i) => {
    t.is(offset, Buffer.byteLength(characters.slice(0, i * file.stride).join('')));
  });
});

test('A given vocabulary is kept, whatever the text has of it', (t) => {
  t.deepEqual(scan(write(t, 'abba'), [0x61, 0x62, 0x63]).vocabulary, [0x61, 0x62, 0x63]);
});

test('The first character outside a given vocabulary is refused with its places', (t) => {
  const path = write(t, 'aéa\u202eb');
  t.throws(() => scan(path, [0x61, 0xe9]), {
    instanceOf: InputError,
    message:
      `Expected only the 2 characters of the model's vocabulary in ${JSON.stringify(path)}, got U+202E ` +
      'at character 3, byte 4. Remove it from the text, or train a new model with it.',
  });
  const far = write(t, `${'é'.repeat(1_500_000)}z`);
  t.throws(() => scan(far, [0xe9]), {
    message: /"z" \(U\+007A\) at character 1500000, byte 3000000/,
  });
});

const refuses = test.macro({
  title: (name) => `A scan refuses ${name} in one line`,
  exec(t, make: (folder: string) => string, message: RegExp) {
    const path = make(temporaryFolder(t));
    const error = t.throws(() => scan(path), { instanceOf: InputError, message });
    t.false(error.message.includes('\n'));
    t.true(error.message.includes(path));
  },
});

const file = (content: string | Uint8Array) => (folder: string) => {
  const path = join(folder, 'text.txt');
  writeFileSync(path, content);
  return path;
};
const at = (offset: number) => new RegExp(`invalid bytes at byte offset ${offset}\\.`);

test('a missing file', refuses, (folder) => join(folder, 'missing.txt'), /no such file/);
test('a path through a file', refuses, (folder) => join(file('a')(folder), 'b'), /no such file/);
test('an empty file', refuses, file(''), /got an empty file/);
test('a folder', refuses, (folder) => folder, /That is a folder/);
test(
  'a loop of links',
  refuses,
  (folder) => {
    const path = join(folder, 'loop');
    symlinkSync(path, path);
    return path;
  },
  /cannot be read: ELOOP/,
);
test('a stray continuation byte', refuses, file(Uint8Array.of(0x61, 0x62, 0x80, 0x63)), at(2));
test('an overlong character', refuses, file(Uint8Array.of(0xc3, 0xa9, 0xc0, 0xaf)), at(2));
test('a surrogate', refuses, file(Uint8Array.of(0xed, 0xa0, 0x80)), at(0));
test(
  'a character cut by the end of the file',
  refuses,
  file(Uint8Array.of(0x61, 0xe2, 0x82)),
  at(1),
);
test('text in Latin-1', refuses, file(Buffer.from('caf\xe9 noir', 'latin1')), at(3));
test(
  'a character cut behind the first block',
  refuses,
  file(Buffer.concat([Buffer.from('é'.repeat(1 << 19)), Uint8Array.of(0xf0, 0x9f)])),
  at(1 << 20),
);

const asUser = process.getuid?.() ? test : test.skip;
asUser(
  'a file of someone else',
  refuses,
  (folder) => {
    const path = file('secret')(folder);
    chmodSync(path, 0);
    return path;
  },
  /may not read it/,
);

const onPosix = process.platform === 'win32' ? test.skip : test;
onPosix(
  'a pipe, without waiting for its other end,',
  refuses,
  (folder) => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    return path;
  },
  /not a regular file: use - to read standard input/,
);

const withProc = existsSync('/proc/self/mem') ? test : test.skip;
withProc('a file whose reading fails', refuses, () => '/proc/self/mem', /cannot be read: EIO/);

test('An unreadable file among others is refused as well', (t) => {
  const folder = temporaryFolder(t);
  const good = file('abc')(folder);
  mkdirSync(join(folder, 'sub'));
  t.throws(
    () => scanCorpus({ trainPaths: [good], valPaths: [join(folder, 'sub')], tokens: 'byte' }),
    { instanceOf: InputError, message: /That is a folder/ },
  );
});
