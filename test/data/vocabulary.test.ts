import test from 'ava';
import fc from 'fast-check';
import { BYTE_VOCABULARY, Vocabulary } from '../../src/data/vocabulary.ts';
import { InputError } from '../../src/errors.ts';

const characters = (text: string) =>
  new Vocabulary(
    'char',
    [...new Set([...text].map((c) => c.codePointAt(0) as number))].sort((a, b) => a - b),
  );

test('Ids count the characters in code-point order', (t) => {
  const vocabulary = characters('b😀aé');
  t.is(vocabulary.size, 4);
  t.deepEqual([...vocabulary.encode('aé😀b')], [0, 2, 3, 1]);
  t.is(vocabulary.decode([3, 0, 0]), '😀aa');
  t.deepEqual([...vocabulary.encode('')], []);
});

test('Any text comes back from its ids, in both kinds', (t) => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, (value) => {
      const vocabulary = characters(value);
      t.is(vocabulary.decode(vocabulary.encode(value)), value);
      const bytes = new Vocabulary('byte', BYTE_VOCABULARY);
      t.is(bytes.decode(bytes.encode(value)), value);
    }),
    { seed: 1 },
  );
});

test('The first character outside is named with its offset in characters', (t) => {
  const vocabulary = characters('abc😀');
  t.throws(() => vocabulary.encode('a😀xz'), {
    instanceOf: InputError,
    message: /the 4 characters of the model's vocabulary, got "x" \(U\+0078\) at character 2\./,
  });
  t.throws(() => vocabulary.encode('\ud800'), { message: /got U\+D800 at character 0/ });
  t.throws(() => vocabulary.encode('\u{10ffff}'), { message: /got U\+10FFFF at character 0/ });
});

test('Bytes that come one by one become characters as soon as they are whole', (t) => {
  const decoding = new Vocabulary('byte', BYTE_VOCABULARY).decoder();
  const pieces = [...new TextEncoder().encode('é😀!')].map((byte) => decoding.write([byte]));
  t.deepEqual(pieces, ['', 'é', '', '', '', '😀', '!']);
  t.is(decoding.end(), '');
});

test('Bytes that are no text become U+FFFD, a byte order mark stays', (t) => {
  const bytes = new Vocabulary('byte', BYTE_VOCABULARY);
  t.is(bytes.decode([0x61, 0xff, 0x62]), 'a\ufffdb');
  t.is(bytes.decode([0xe2, 0x82]), '\ufffd');
  t.is(bytes.decode([0xef, 0xbb, 0xbf, 0x61]), '\ufeffa');
});
