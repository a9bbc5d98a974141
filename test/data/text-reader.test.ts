import { mkdtempSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { OpenFiles } from '../../src/data/open-files.ts';
import { scanCorpus } from '../../src/data/scan.ts';
import { Cursor, TextReader } from '../../src/data/text-reader.ts';
import { Vocabulary } from '../../src/data/vocabulary.ts';
import { TrainingError } from '../../src/errors.ts';
import type { CorpusIndex, TokenKind } from '../../src/pool/actor-protocol.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

function scanTexts(folder: string, texts: string[], tokens: TokenKind = 'char'): CorpusIndex {
  const trainPaths = texts.map((text, i) => {
    const path = join(folder, `${i}.txt`);
    writeFileSync(path, text);
    return path;
  });
  return scanCorpus({ trainPaths, valPaths: [], tokens });
}

function readerOf(index: CorpusIndex): TextReader {
  return new TextReader(index.train, new Vocabulary(index.tokens, index.vocabulary));
}

function open(t: ExecutionContext, texts: string[], tokens: TokenKind = 'char') {
  const index = scanTexts(temporaryFolder(t), texts, tokens);
  const reader = readerOf(index);
  t.teardown(() => reader.close());
  return { index, reader };
}

/** The symbols of a window, as code points. */
function read(reader: TextReader, index: CorpusIndex, at: number, count: number, cursor?: Cursor) {
  const ids = new Int32Array(count);
  reader.read(at, count, ids, cursor);
  return Array.from(ids, (id) => index.vocabulary[id]);
}

const codePoints = (text: string) => [...text].map((c) => c.codePointAt(0) as number);

test('Any window of any texts is the same part of the array of their code points', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const texts = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(texts, fc.array(fc.tuple(fc.nat(), fc.nat())), (values, windows) => {
      const index = scanTexts(folder, values);
      const reader = readerOf(index);
      try {
        const wanted = codePoints(values.join(''));
        t.is(reader.symbols, wanted.length);
        for (const [a, b] of windows) {
          const at = a % wanted.length;
          const count = 1 + (b % (wanted.length - at));
          t.deepEqual(read(reader, index, at, count), wanted.slice(at, at + count));
        }
      } finally {
        reader.close();
      }
    }),
    { seed: 1 },
  );
});

/** Seven characters of 1 to 4 bytes: the pattern never falls on a block's or a stride's border for long. */
const MIXED = 'aé中😀bc\n'.repeat(20_000);

test('Windows of a file of several strides are right near every border, in any order', (t) => {
  const { index, reader } = open(t, [MIXED]);
  const wanted = codePoints(MIXED);
  const { stride } = index.train[0];
  t.true(wanted.length > 8 * stride);
  for (let mark = 8; mark >= 0; mark--) {
    for (const at of [mark * stride - 1, mark * stride, mark * stride + 1]) {
      if (at >= 0) t.deepEqual(read(reader, index, at, 9), wanted.slice(at, at + 9));
    }
  }
  t.deepEqual(read(reader, index, 0, wanted.length), wanted);
  t.deepEqual(read(reader, index, wanted.length - 1, 1), wanted.slice(-1));
});

for (const tokens of ['char', 'byte'] as const) {
  test(`A cursor goes on where it stopped, over the ends of files (${tokens})`, (t) => {
    const { index, reader } = open(t, ['né', 'ü', '中文😀', 'x'], tokens);
    const text = 'néü中文😀x';
    const wanted = tokens === 'char' ? codePoints(text) : [...new TextEncoder().encode(text)];
    for (const times of [1, 2, 3]) {
      const cursor = new Cursor();
      for (let at = 0; at + times < wanted.length; at += times) {
        const window = read(reader, index, at, times + 1, cursor);
        t.deepEqual(window, wanted.slice(at, at + times + 1));
        t.is(cursor.symbol, at + times);
      }
    }
  });
}

for (const room of [4, 5, 7, 64]) {
  test(`Windows in a row are right, and each byte is read about once, with room for ${room} bytes`, (t) => {
    const { index, reader } = open(t, [MIXED.slice(0, 901), MIXED.slice(901, 2000)]);
    const wanted = codePoints(MIXED.slice(0, 2000));
    const cursor = new Cursor(room);
    for (let at = 0; at + 7 <= wanted.length; at += 6) {
      const ids = new Int32Array(7);
      reader.read(at, 7, ids, cursor, wanted.length - at);
      const window = Array.from(ids, (id) => index.vocabulary[id]);
      t.deepEqual(window, wanted.slice(at, at + 7));
    }
    // Up to three bytes of the next character, and the last one of a window, may be read once more.
    t.true(reader.bytesRead <= index.bytes * (1 + 3 / (room - 3)), `${reader.bytesRead}`);
  });
}

test('A cursor that stands elsewhere is moved', (t) => {
  const { index, reader } = open(t, ['né', '中文😀']);
  const cursor = new Cursor();
  t.deepEqual(read(reader, index, 3, 2, cursor), codePoints('文😀'));
  t.deepEqual(read(reader, index, 1, 2, cursor), codePoints('é中'));
});

test('A window outside the text is a mistake of the caller', (t) => {
  const { reader } = open(t, ['abc']);
  const ids = new Int32Array(9);
  for (const [at, count] of [
    [-1, 1],
    [0, 4],
    [3, 1],
    [0, 0],
  ]) {
    t.throws(() => reader.read(at, count, ids), { instanceOf: RangeError });
  }
});

test('More files than may be open at a time are read all the same', (t) => {
  const texts = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  const { index, reader } = open(t, texts);
  const cursors = [new Cursor(), new Cursor()];
  for (let at = 0; at + 1 < 150; at++) {
    for (const [stream, cursor] of cursors.entries()) {
      const first = stream * 150 + at;
      t.deepEqual(read(reader, index, first, 2, cursor), [0x4e00 + first, 0x4e01 + first]);
    }
  }
});

test('Only the files used last stay open', (t) => {
  const folder = temporaryFolder(t);
  const { train } = scanTexts(folder, ['a', 'b', 'c']);
  const files = new OpenFiles(train, 2);
  t.teardown(() => files.close());
  const byte = new Uint8Array(1);
  for (const file of [0, 1, 0, 2]) files.read(file, 0, byte);
  for (const { path } of train) renameSync(path, `${path}.away`);
  for (const [file, text] of [
    [0, 'a'],
    [2, 'c'],
  ] as const) {
    files.read(file, 0, byte);
    t.is(String.fromCharCode(byte[0]), text);
  }
  t.throws(() => files.read(1, 0, byte), { instanceOf: TrainingError, message: /no such file/ });
});

const failsAfter = test.macro({
  title: (name) => `A file that is ${name} fails the run and not its numbers`,
  exec(t, change: (path: string) => void, beforeFirstRead: boolean, message?: RegExp) {
    const { index, reader } = open(t, ['abcdefgh']);
    if (!beforeFirstRead) read(reader, index, 0, 2);
    change(index.train[0].path);
    t.throws(() => read(reader, index, 4, 2), {
      instanceOf: TrainingError,
      message: message ?? /but it changed/,
    });
  },
});

const LATER = new Date('2040-01-01');
const rewrite = (text: string) => (path: string) => {
  writeFileSync(path, text);
  utimesSync(path, LATER, LATER);
};

test('cut short while it is open', failsAfter, (path) => truncateSync(path, 5), false);
test('cut short before it is opened', failsAfter, (path) => truncateSync(path, 3), true);
test('longer than before', failsAfter, rewrite('abcdefghi'), false);
test('rewritten at the same length', failsAfter, rewrite('hgfedcba'), false);
test('replaced', failsAfter, rewrite('ééééééé'), true);
test(
  'removed',
  failsAfter,
  (path) => rmSync(path),
  true,
  /cannot be read any more: .*no such file/,
);
