import test from 'ava';
import fc from 'fast-check';
import {
  CUT,
  decodeSequence,
  describeCodePoint,
  encodedLength,
  INVALID,
  sequenceLength,
} from '../../src/data/utf8.ts';

const decode = (...bytes: number[]) => decodeSequence(Uint8Array.from(bytes), 0, bytes.length);

test('The first and last character of every length decodes, and knows its length', (t) => {
  const edges = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
  for (const codePoint of edges) {
    const bytes = new TextEncoder().encode(String.fromCodePoint(codePoint));
    t.is(decode(...bytes), codePoint);
    t.is(encodedLength(codePoint), bytes.length);
    t.is(sequenceLength(bytes[0]), bytes.length);
  }
});

const refuses = test.macro<number[]>({
  title: (name) => `${name} is invalid`,
  exec(t, ...bytes: number[]) {
    t.is(decode(...bytes), INVALID);
  },
});

test('a continuation byte at the start', refuses, 0x80);
test('an overlong slash of two bytes', refuses, 0xc0, 0xaf);
test('an overlong character of three bytes', refuses, 0xe0, 0x9f, 0xbf);
test('an overlong character of four bytes', refuses, 0xf0, 0x8f, 0xbf, 0xbf);
test('the first surrogate', refuses, 0xed, 0xa0, 0x80);
test('the last surrogate', refuses, 0xed, 0xbf, 0xbf);
test('a code point above U+10FFFF', refuses, 0xf4, 0x90, 0x80, 0x80);
test('a lead byte that no character has', refuses, 0xf5, 0x80, 0x80, 0x80);
test('a lead byte followed by a letter', refuses, 0xe2, 0x41);
test('a third byte that continues nothing', refuses, 0xe2, 0x82, 0x41);
test('a fourth byte that continues nothing', refuses, 0xf0, 0x9f, 0x98, 0xc3);
test('a cut overlong character, at once', refuses, 0xe0, 0x80);

test('A character is cut after each of its bytes but the last', (t) => {
  const bytes = [0xf0, 0x9f, 0x98, 0x80];
  for (const length of [1, 2, 3]) t.is(decode(...bytes.slice(0, length)), CUT);
  t.is(decode(...bytes), 0x1f600);
});

test('Any bytes are text exactly when TextDecoder says so, and then the same text', (t) => {
  const nearText = fc.array(
    fc.oneof(fc.constantFrom(0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xbf), fc.nat(255)),
    { maxLength: 12 },
  );
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(nearText, (values) => {
      const bytes = Uint8Array.from(values);
      let wanted: string | undefined;
      try {
        wanted = decoder.decode(bytes);
      } catch {
        wanted = undefined;
      }
      t.is(decodeAll(bytes), wanted);
    }),
    { numRuns: 2000, seed: 1 },
  );
});

function decodeAll(bytes: Uint8Array): string | undefined {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const codePoint = decodeSequence(bytes, at, bytes.length);
    if (codePoint < 0) return undefined;
    text += String.fromCodePoint(codePoint);
    at += encodedLength(codePoint);
  }
  return text;
}

test('A message shows a character that can be seen, and only the name of one that cannot', (t) => {
  t.is(describeCodePoint(0xe9), '"é" (U+00E9)');
  t.is(describeCodePoint(0x22), '"\\"" (U+0022)');
  t.is(describeCodePoint(0x1f600), '"😀" (U+1F600)');
  t.is(describeCodePoint(0x1b), 'U+001B');
  t.is(describeCodePoint(0x202e), 'U+202E');
  t.is(describeCodePoint(0xd800), 'U+D800');
});
