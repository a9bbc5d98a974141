/** Checkpoints that a hostile writer made: each is refused in one line, or read as what it says, in bounded time and memory. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Packr, pack } from 'msgpackr';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import { EMPTY_LOGS, RunFolder } from '../../src/checkpoint/run-folder.ts';
import { storeCheckpoint } from '../../src/checkpoint/store.ts';
import { InputError } from '../../src/errors.ts';
import { inspect } from '../../src/recipes/inspect.ts';
import { sample } from '../../src/recipes/sample.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleState, sampleTensors, seal, writeSample, writeSealed } from './samples.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const tensor = { name: 'w', type: 'float32', shape: [4, 4], offsetBytes: 0 };
const whole = { ...sampleState(), tensors: [tensor] };

/** Opens and reads what can be opened; a refusal is one line. True where it opened. */
function opens(t: ExecutionContext, path: string): boolean {
  try {
    const file = openCheckpoint(path);
    try {
      for (const { name, type, shape } of file.header.tensors) {
        const length = shape.reduce((product, size) => product * size, 1);
        const Kind = { float32: Float32Array, int32: Int32Array, float64: Float64Array }[type];
        file.readTensor(name, new Kind(length));
      }
      return true;
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    t.regex(error.message, /^Cannot use checkpoint "[^\n]*\.$/);
    return false;
  }
}

test('any bytes changed in a checkpoint whose checksum is right again', (t) => {
  const folder = temporaryFolder(t);
  const original = readFileSync(writeSample(folder));
  const path = join(folder, 'fuzzed.ckpt');
  const change = fc.tuple(fc.nat(original.length - 33), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(original);
      for (const [at, value] of changes) bytes[at] = value;
      writeFileSync(path, seal(bytes));
      opens(t, path);
    }),
    { seed: 6, numRuns: 3000 },
  );
});

test('any bytes as a header', (t) => {
  const path = join(temporaryFolder(t), 'fuzzed.ckpt');
  const header = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.jsonValue({ maxDepth: 12 }).map((value) => packr.pack(value)),
  );
  fc.assert(
    fc.property(header, (bytes) => {
      writeSealed(path, bytes, new Uint8Array(64));
      t.false(opens(t, path));
    }),
    { seed: 7, numRuns: 2000 },
  );
});

test('any value in place of any field of a header', (t) => {
  const path = join(temporaryFolder(t), 'fuzzed.ckpt');
  const places = placesOf(whole);
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      -1,
      0,
      0.5,
      2 ** 31,
      2 ** 53,
      1e308,
      Infinity,
      NaN,
      '',
      '../../x',
      '/etc/passwd',
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...places), value, (place, replaced) => {
      writeSealed(path, packr.pack(replace(whole, place, replaced)), new Uint8Array(64));
      opens(t, path);
    }),
    { seed: 8, numRuns: 3000 },
  );
  t.true(places.length > 50);
});

/** Paths to every value within a value. */
function placesOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [
    [],
    ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner).map((p) => [key, ...p])),
  ];
}

function replace(value: unknown, [key, ...rest]: string[], replaced: unknown): unknown {
  if (key === undefined) return replaced;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  copy[key] = replace(copy[key], rest, replaced);
  return copy;
}

/** The header with the bytes of an array of `count` times `byte` in place of a field. */
function crowded(field: keyof typeof whole, count: number, byte: number): Buffer {
  const array = Buffer.alloc(count + 5, byte);
  array[0] = 0xdd;
  array.writeUInt32BE(count, 1);
  const { [field]: _, ...others } = whole;
  const pairs = Object.entries(others).flatMap(([key, value]) =>
    [packr.pack(key), packr.pack(value)].map((b) => Buffer.from(b)),
  );
  const size = Object.keys(whole).length;
  return Buffer.concat([Buffer.of(0x80 | size), ...pairs, packr.pack(field), array]);
}

for (const field of ['vocabulary', 'tensors', 'config', 'corpus'] as const) {
  for (const byte of [0x00, 0xc0, 0x80, 0x90, 0xa0]) {
    test(`millions of ${byte.toString(16)} in place of ${field} are refused in bounded memory`, (t) => {
      const path = join(temporaryFolder(t), 'crowded.ckpt');
      for (const count of [1_200_000, 15 * 2 ** 20]) {
        writeSealed(path, crowded(field, count, byte), new Uint8Array(64));
        const before = process.memoryUsage().rss;
        t.false(opens(t, path));
        t.true(process.memoryUsage().rss - before < 400 * 2 ** 20);
      }
    });
  }
}

for (const change of [
  { layers: 2 ** 31 - 1 },
  { layers: 1e6 },
  { hidden: 2 ** 31 - 1 },
  { embed: 2 ** 31 },
]) {
  test(`a model of ${JSON.stringify(change)} is refused before anything is made of it`, async (t) => {
    const path = join(temporaryFolder(t), 'large.ckpt');
    writeSealed(path, pack({ ...whole, model: { ...whole.model, ...change } }), new Uint8Array(64));
    const refusal = { instanceOf: InputError, message: /model\..*Too big/ };
    t.throws(() => inspect(path), refusal);
    await t.throwsAsync(sample(path), refusal);
  });
}

test('the largest model that is allowed is refused where its tensors are missing', async (t) => {
  const path = join(temporaryFolder(t), 'large.ckpt');
  const model = { ...whole.model, hidden: 65_536, layers: 64, embed: 65_536 };
  writeSealed(path, pack({ ...whole, model }), new Uint8Array(64));
  t.is(inspect(path).parameters.length, 259);
  await t.throwsAsync(sample(path), { instanceOf: InputError });
});

test('keys of prototypes are settings like others, and change no object', (t) => {
  const path = join(temporaryFolder(t), 'keys.ckpt');
  const config = JSON.parse('{"constructor":{"prototype":{"polluted":1}},"toString":1}');
  writeSealed(path, packr.pack({ ...whole, config }), new Uint8Array(64));
  t.true(opens(t, path));
  writeSealed(
    path,
    packr.pack({ ...whole, config: JSON.parse('{"__proto__":{"polluted":1}}') }),
    new Uint8Array(64),
  );
  opens(t, path);
  t.is(({} as Record<string, unknown>).polluted, undefined);
});

/** A run that a stranger made, and a folder of ours beside it. */
function strangersRun(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const run = join(folder, 'run');
  const ours = join(folder, 'ours');
  mkdirSync(run);
  mkdirSync(ours);
  writeFileSync(join(ours, 'diary.txt'), 'mine');
  writeFileSync(join(run, 'config.json'), '{}');
  const untouched = () => {
    t.deepEqual(readdirSync(ours), ['diary.txt']);
    t.is(readFileSync(join(ours, 'diary.txt'), 'utf8'), 'mine');
  };
  return { run, ours, untouched };
}

test('logs that are links out of the run are not written', (t) => {
  const { run, ours, untouched } = strangersRun(t);
  symlinkSync(join(ours, 'diary.txt'), join(run, 'steps.ndjson'));
  const folder = RunFolder.open(run);
  t.throws(() => folder.openLogs(EMPTY_LOGS), {
    instanceOf: InputError,
    message: /steps\.ndjson to be writable: it is a link\.$/,
  });
  folder.close();
  untouched();
});

test('a folder of checkpoints that is a link out of the run is refused', (t) => {
  const { run, ours, untouched } = strangersRun(t);
  symlinkSync(ours, join(run, 'checkpoints'));
  t.throws(() => RunFolder.open(run), { instanceOf: InputError, message: /got a link/ });
  untouched();
  t.deepEqual(readdirSync(run).sort(), ['checkpoints', 'config.json']);
});

test('a temporary file that is a link out of the run is replaced, not followed', (t) => {
  const { run, ours, untouched } = strangersRun(t);
  const folder = join(run, 'checkpoints');
  mkdirSync(folder);
  const name = 'step-00000012.ckpt';
  for (const link of [name, `${name}.tmp`, 'best.ckpt', 'best.ckpt.tmp']) {
    symlinkSync(join(ours, 'diary.txt'), join(folder, link));
  }
  const { arena, sources: tensors } = sampleTensors();
  storeCheckpoint({ folder, step: 12, header: sampleState(), tensors, keep: 1, best: true }, arena);
  untouched();
  t.true(opens(t, join(folder, name)));
  t.true(opens(t, join(folder, 'best.ckpt')));
});
