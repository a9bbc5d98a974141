/** Checkpoints that a hostile writer made: each is refused in one line, or read as what it says, in bounded time and memory. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Packr, pack } from 'msgpackr';
import { AppendLog } from '../../src/checkpoint/append-log.ts';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import { openResumable } from '../../src/checkpoint/resumable.ts';
import { EMPTY_LOGS, RunFolder } from '../../src/checkpoint/run-folder.ts';
import { storeCheckpoint } from '../../src/checkpoint/store.ts';
import { InputError, messageOf } from '../../src/errors.ts';
import { inspect } from '../../src/recipes/inspect.ts';
import { sample } from '../../src/recipes/sample.ts';
import { someLock } from '../helpers/lock.ts';
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
  const lock = someLock(t);
  const end = `.${lock.owner.token}.ckpt.tmp`;
  for (const link of [name, `step-00000012${end}`, 'best.ckpt', `best${end}`]) {
    symlinkSync(join(ours, 'diary.txt'), join(folder, link));
  }
  const { arena, sources: tensors } = sampleTensors();
  const header = sampleState();
  storeCheckpoint({ folder, step: 12, header, tensors, keep: 1, best: true, lock }, arena);
  untouched();
  t.true(opens(t, join(folder, name)));
  t.true(opens(t, join(folder, 'best.ckpt')));
});

const TEBIBYTE = 2 ** 40;

/** Makes a file longer by a hole, which takes no room; false, with the reason in the test's log, where that cannot be. */
function makeSparse(t: ExecutionContext, path: string, bytes: number): boolean {
  try {
    truncateSync(path, bytes);
    return true;
  } catch (error) {
    t.log(`not tried: a file with a hole cannot be made: ${messageOf(error)}`);
    t.pass();
    return false;
  }
}

/** On Windows a file is filled with zeros where it is made longer. */
const sparse = process.platform === 'win32' ? test.skip : test;

/** A checkpoint that says of itself that it is as long as the file: a hole behind its header. */
function sparseCheckpoint(t: ExecutionContext, path: string, bytes: number): boolean {
  writeSealed(path, packr.pack(whole), new Uint8Array(64));
  const file = readFileSync(path);
  file.writeBigUint64LE(BigInt(bytes), 16);
  writeFileSync(path, file);
  return makeSparse(t, path, bytes);
}

for (const [size, bytes, message] of [
  ['eight tebibytes', 8 * TEBIBYTE, /: it is larger than any checkpoint can be: 8\.00 TiB\.$/],
  [
    'three gibibytes',
    3 * 2 ** 30,
    /its header cannot be read: its tensors do not fill the file\.$/,
  ],
] as const) {
  sparse(`a checkpoint of ${size} that are a hole is refused before it is read`, (t) => {
    const path = join(temporaryFolder(t), 'step-00000012.ckpt');
    if (!sparseCheckpoint(t, path, bytes)) return;
    t.throws(() => openCheckpoint(path), { instanceOf: InputError, message });
  });
}

sparse(
  'a log that is a hole of a tebibyte counts as damaged, and is refused where it is needed',
  (t) => {
    const { run } = strangersRun(t);
    const logBytes = { ...EMPTY_LOGS, steps: TEBIBYTE };
    const progress = { ...whole.progress, logBytes };
    mkdirSync(join(run, 'checkpoints'));
    const checkpoint = join(run, 'checkpoints', 'step-00000012.ckpt');
    writeSealed(checkpoint, packr.pack({ ...whole, progress }), new Uint8Array(64));
    const log = join(run, 'steps.ndjson');
    writeFileSync(log, '{"step":1}\n');
    if (!makeSparse(t, log, TEBIBYTE)) return;
    const folder = RunFolder.open(run);
    t.teardown(() => folder.close());
    const found = openResumable(folder);
    found.checkpoint.close();
    t.is(found.warnings.length, 1);
    t.regex(
      found.warnings[0],
      /stay missing: .*steps\.ndjson has only 0 of its 1099511627776 bytes/,
    );
    t.throws(() => folder.openLogs(logBytes), {
      instanceOf: InputError,
      message: /^Expected .*steps\.ndjson to be a log .* 1\.00 MiB .* Move it away/,
    });
    t.is(statSync(log).size, TEBIBYTE);
  },
);

sparse('a log that ends with a hole no longer than a line is cut back to its last line', (t) => {
  const path = join(temporaryFolder(t), 'steps.ndjson');
  const line = '{"step":1}\n';
  for (const hole of [1, 4095, 4096, 4097, 2 ** 20 - 1, 2 ** 20]) {
    writeFileSync(path, line);
    if (!makeSparse(t, path, line.length + hole)) return;
    const log = new AppendLog(path, TEBIBYTE);
    t.is(log.bytes, line.length, `a hole of ${hole} bytes`);
    log.close();
    t.is(readFileSync(path, 'utf8'), line);
  }
});
