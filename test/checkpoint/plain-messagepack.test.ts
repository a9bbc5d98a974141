import test from 'ava';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { requirePlain } from '../../src/checkpoint/plain-messagepack.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
/** Packs what msgpackr can beyond JSON. */
const richPackr = new Packr({ useRecords: false, moreTypes: true, structuredClone: true });

test('Any JSON value that msgpackr packs is plain', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      t.notThrows(() => requirePlain(packr.pack(value)));
    }),
    { seed: 1, numRuns: 300 },
  );
  for (const length of [15, 16, 31, 32, 255, 256, 65_535, 65_536]) {
    t.notThrows(() => requirePlain(packr.pack(Array(length).fill('x'.repeat(length % 300)))));
    t.notThrows(() => requirePlain(packr.pack('x'.repeat(length))));
    const map = Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, -i * 1e5]));
    t.notThrows(() => requirePlain(packr.pack(map)));
  }
});

test('Every cut of a plain value is refused', (t) => {
  const value = { a: [1, 300, 70_000, 2 ** 40, 1.5, -7], b: 'x'.repeat(300), c: { d: null } };
  const bytes = packr.pack(value);
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => requirePlain(bytes.subarray(0, length)), { message: /ends early/ });
  }
  t.throws(() => requirePlain(Buffer.concat([bytes, Buffer.of(0xc0)])), { message: /follow/ });
});

const refuses = test.macro({
  title: (name) => `${name} is not plain`,
  exec(t, bytes: Uint8Array, message: RegExp) {
    t.throws(() => requirePlain(bytes), { message });
  },
});

const hex = (text: string) => Buffer.from(text, 'hex');
const type = /of a type that no checkpoint has/;
test('A regular expression', refuses, richPackr.pack([/(a+)+$/]), type);
test('A date', refuses, richPackr.pack(new Date(0)), type);
test('A set', refuses, richPackr.pack(new Set([1])), type);
test('An error', refuses, richPackr.pack(new Error('no')), type);
test('A typed array', refuses, richPackr.pack(new Float32Array(2)), type);
test('Binary data', refuses, richPackr.pack(Buffer.of(1, 2)), type);
test('The value undefined', refuses, richPackr.pack([undefined]), type);
test('The byte that MessagePack never uses', refuses, hex('c1'), type);
test('A record definition', refuses, hex('d4724091a16101'), type);
test('A bundle of strings that reads itself', refuses, hex('c70462fffffff0'), type);
test('A pointer to an unknown value', refuses, hex('d67000000001'), type);
test('A map with a number as key', refuses, hex('810102'), /a key at byte 1 is no text/);
test('A map with a map as key', refuses, hex('818001'), /a key at byte 1 is no text/);
test('An array that claims 4 billion items', refuses, hex('ddffffffff01'), /ends early/);
test('A map that claims 4 billion pairs', refuses, hex('dfffffffff'), /ends early/);
test('A text that claims 4 GiB', refuses, hex('dbffffffff61'), /ends early/);
test('A million arrays in each other', refuses, Buffer.alloc(1e6, 0x91), /too deep/);

test('Nothing that is decoded after the check can be anything but JSON', (t) => {
  const tokens = fc.oneof(
    fc.constantFrom(0x80, 0x81, 0x82, 0x90, 0x91, 0x93, 0xa0, 0xa1, 0xc0, 0xc2, 0xcc, 0xd9, 0xdc),
    fc.nat(255),
  );
  fc.assert(
    fc.property(fc.array(tokens, { minLength: 1, maxLength: 12 }), (values) => {
      const bytes = Uint8Array.from(values);
      try {
        requirePlain(bytes);
      } catch {
        return;
      }
      const value = new Packr({ useRecords: false, int64AsType: 'number' }).unpack(bytes);
      t.deepEqual(onlyJson(value), true);
    }),
    { numRuns: 5000, seed: 1 },
  );
});

function onlyJson(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(onlyJson);
  const prototype = Object.getPrototypeOf(value as object);
  return prototype === Object.prototype && Object.values(value as object).every(onlyJson);
}
