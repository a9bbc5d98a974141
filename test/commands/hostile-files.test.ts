/** Rows of the bad-input table about configurations, runs and texts that a stranger made. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { resolveConfig } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';
import { sampleState, writeSample } from '../checkpoint/samples.ts';
import { file, NOBODY, refusedAlone, refusedTogether, train, trainOn } from './bad-input.ts';

const refused = refusedTogether();
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const pipe = (name: string) => (folder: string) => execFileSync('mkfifo', [join(folder, name)]);
const loop = (name: string) => (folder: string) => symlinkSync(name, join(folder, name));

/** Settings given with --config. */
function configured(name: string, text: string, says: RegExp): void {
  refused(`a configuration ${name}`, {
    args: train('--config', 'c.yaml'),
    before: file('c.yaml', text),
    says,
  });
}
const level = (n: number) => `l${n}: &l${n} [${Array(9).fill(n === 0 ? '"lol"' : `*l${n - 1}`)}]\n`;
configured(
  'of aliases that multiply',
  Array.from({ length: 12 }, (_, n) => level(n)).join(''),
  /^Expected --config to be a YAML or JSON file: Excessive alias count/,
);
configured('that holds itself', 'layers: &a [*a]\n', /^Expected (--config|--layers) to be/);
configured('with a tag of code', 'layers: !!js/function "() => 1"\n', /^Expected --layers to be/);
configured('that is a tagged set', '!!set {layers: null}\n', /^(Expected|Unknown)/);
configured(
  'that is a tagged set of YAML 1.1',
  '%YAML 1.1\n---\n!!set {? layers}\n',
  /to hold settings/,
);
configured(
  'with a binary in it',
  '%YAML 1.1\n---\nlayers: !!binary aGk=\n',
  /^Expected --layers to be/,
);
configured(
  'with a key of the prototype',
  '__proto__: {layers: 3}\n',
  /^Unknown key in c\.yaml "__proto__"/,
);
configured(
  'with the constructor as a key',
  'constructor: {}\n',
  /^Unknown key in c\.yaml "constructor"/,
);
configured('with a list as a key', '? [1, 2]\n: 3\n', /^(Unknown|Expected)/);
configured(
  'nested a hundred thousand deep',
  `layers: ${deep(100_000)}\n`,
  /^Expected --(config|layers) to be/,
);
configured(
  'of JSON nested ten thousand deep',
  `{"layers":${deep(10_000)}}`,
  /^Expected --(config|layers) to be/,
);
configured(
  'with a number beyond all',
  'layers: 1e999\n',
  /^Expected --layers to be .* got Infinity\.$/,
);
configured(
  'with a number of a thousand digits',
  `seed: ${'9'.repeat(1000)}\n`,
  /^Expected --seed to be/,
);
configured(
  'with a key of half a million letters',
  `${'k'.repeat(500_000)}: 1\n`,
  /^(Unknown key in c\.yaml "k{70}|Expected --config)/,
);
configured(
  'larger than a mebibyte',
  `layers: 8 # ${'x'.repeat(2 ** 20)}\n`,
  /it is larger than 1\.00 MiB$/,
);
configured('of zero bytes', '\0\0\0\0', /^Expected (c\.yaml|--config) to/);
configured(
  'with an escape of the terminal',
  '"\\e[2J": 1\n',
  /^Unknown key in c\.yaml "\\u001b\[2J"/,
);

refused('a pipe in place of a configuration', {
  args: train('--config', 'c.yaml'),
  before: pipe('c.yaml'),
  says: /^Expected --config to be a YAML or JSON file: it is not a regular file$/,
});
refused('a device in place of a configuration', {
  args: train('--config', '/dev/zero'),
  says: /it is not a regular file$/,
});
refused('a loop of links in place of a configuration', {
  args: train('--config', 'c.yaml'),
  before: loop('c.yaml'),
  says: /ELOOP/,
});

/** A run whose config.json is a stranger's. */
function run(name: string, make: (folder: string) => void, says: RegExp): void {
  refused(`a run whose config.json is ${name}`, {
    args: ['resume', 'r', '--no-metrics'],
    before: (folder) => {
      mkdirSync(join(folder, 'r', 'checkpoints'), { recursive: true });
      make(join(folder, 'r'));
    },
    says,
  });
}
const NOT_JSON = /config\.json to be a run's configuration in JSON: /;
for (const text of ['null', '[]', '5', '"text"', '', '{', '{"hidden":1}}']) {
  run(JSON.stringify(text), file('config.json', text), NOT_JSON);
}
run(
  'an object of nothing',
  file('config.json', '{}'),
  /got none: it ended before the first was written/,
);
run('larger than 16 MiB', file('config.json', `"${'x'.repeat(2 ** 24)}"`), NOT_JSON);
run('a pipe', pipe('config.json'), NOT_JSON);
run('a device', (folder) => symlinkSync('/dev/zero', join(folder, 'config.json')), NOT_JSON);
run(
  'nested deep',
  file('config.json', `{"hidden":${deep(100_000)}}`),
  /^Expected (--hidden to be|.*in JSON)/,
);
run(
  'of a prototype',
  file('config.json', '{"__proto__":{"hidden":3}}'),
  /^Unknown setting "__proto__"/,
);
run(
  'of a million files that are none',
  file('config.json', `{"files":[${Array(1e6).fill(1)}]}`),
  /^Expected files to be a list of paths/,
);

/** Makes a run r with a checkpoint, of which something is damaged. */
function damagedRun(damage: (run: string) => void) {
  return (folder: string) => {
    const path = join(folder, 'r');
    mkdirSync(join(path, 'checkpoints'), { recursive: true });
    file('config.json', '{}')(path);
    writeSample(join(path, 'checkpoints'));
    // Whole, as the checkpoint has them.
    for (const [log, bytes] of Object.entries(sampleState().progress.logBytes)) {
      if (log !== 'timings') file(`${log}.ndjson`, Buffer.alloc(bytes, '\n'))(path);
    }
    damage(path);
  };
}
const resumed = ['resume', 'r', '--no-metrics'];

refused('a run whose checkpoints are a regular file', {
  args: resumed,
  before: (folder) => {
    mkdirSync(join(folder, 'r'));
    file('config.json', '{}')(join(folder, 'r'));
    file('checkpoints', 'none')(join(folder, 'r'));
  },
  says: /^Expected \S+checkpoints to be a folder that can be read, with the run's checkpoints, got ENOTDIR.*\. Restore it, /,
});
for (const log of ['steps', 'evals', 'gradients', 'samples']) {
  refused(`a run whose ${log}.ndjson is a folder`, {
    args: resumed,
    before: damagedRun((path) => {
      rmSync(join(path, `${log}.ndjson`), { force: true });
      mkdirSync(join(path, `${log}.ndjson`));
    }),
    says: /^Expected \S+\.ndjson to be a log of the run that can be read, got what is no regular file\. Restore it, /,
  });
}
test('a run whose folder of checkpoints may not be read', refusedAlone, {
  args: resumed,
  before: damagedRun((path) => {
    chmodSync(path, 0o777);
    chmodSync(join(path, 'checkpoints'), 0);
  }),
  user: NOBODY,
  says: /^Expected \S+checkpoints to be a folder that can be read, with the run's checkpoints, got EACCES/,
});
test('a run whose log may not be read', refusedAlone, {
  args: resumed,
  before: damagedRun((path) => {
    chmodSync(path, 0o777);
    chmodSync(join(path, 'steps.ndjson'), 0);
  }),
  user: NOBODY,
  says: /^Expected \S+steps\.ndjson to be a log of the run that can be read, got EACCES/,
});

/** A text that a stranger made. */
function text(name: string, make: (folder: string) => void, says: RegExp, path = 'bad.txt'): void {
  refused(`a text that is ${name}`, { args: trainOn(path), before: make, says });
}
text(
  'a pipe',
  pipe('bad.txt'),
  /^Expected a text file, got "bad\.txt"\. That is not a regular file/,
);
text('a device without end', () => {}, /That is not a regular file/, '/dev/zero');
text('a loop of links', loop('bad.txt'), /ELOOP/);
text(
  'cut within a character',
  file('bad.txt', Buffer.from('é'.repeat(500)).subarray(0, -1)),
  /invalid bytes at byte offset 998/,
);
text('of overlong zeros', file('bad.txt', Buffer.from('c080', 'hex')), /byte offset 0\./);
text('of half surrogates', file('bad.txt', Buffer.from('61eda080', 'hex')), /byte offset 1\./);
text('UTF-16', file('bad.txt', Buffer.from('\ufefftext', 'utf16le')), /byte offset 0\./);
text(
  'named with an escape of the terminal',
  () => {},
  /^Expected a text file, got "\\u001b\[2Jx"/,
  '\x1b[2Jx',
);

test('any settings are taken or refused in one line', (t) => {
  const surroundings = { cores: 2, newRun: () => 'runs/new' };
  const names = Object.keys(resolveConfig({}, surroundings));
  const settings = fc.dictionary(
    fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, fc.string()),
    fc.oneof(fc.jsonValue(), fc.anything({ withBigInt: true, withNullPrototype: true })),
    { maxKeys: 4 },
  );
  fc.assert(
    fc.property(settings, (given) => {
      try {
        resolveConfig(given, surroundings);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        t.true(error.message.length < 600, error.message);
      }
    }),
    { seed: 9, numRuns: 5000 },
  );
});

test('NUL bytes and a line without end are text like any other', async (t) => {
  const { scanCorpus } = await import('../../src/data/scan.ts');
  const { temporaryFolder } = await import('../helpers/temporary-folder.ts');
  const path = join(temporaryFolder(t), 'endless.txt');
  writeFileSync(path, `${'\0'.repeat(1000)}${'x'.repeat(3 * 2 ** 20)}`);
  const index = scanCorpus({ trainPaths: [path], valPaths: [], tokens: 'char' });
  t.is(index.trainSymbols, 1000 + 3 * 2 ** 20);
  t.deepEqual(index.vocabulary, [0, 120]);
});
