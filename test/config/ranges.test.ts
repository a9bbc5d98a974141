/** Ranges of every numeric setting, generated from the tables themselves. */
import test from 'ava';
import { trainSettings } from '../../src/config/config.ts';
import { evaluateSettings, sampleSettings } from '../../src/config/model-use-settings.ts';
import { describeValues, type SettingEntry } from '../../src/config/setting-table.ts';
import { InputError } from '../../src/errors.ts';

const TABLES = { train: trainSettings, sample: sampleSettings, eval: evaluateSettings };

/** Values that no setting of the kind takes, and those just outside its range. */
function wrongValues(entry: SettingEntry): unknown[] {
  const { type, minimum, exclusiveMinimum, maximum = Number.NaN } = entry;
  const below =
    minimum === undefined ? exclusiveMinimum : minimum - (type === 'integer' ? 1 : 1e-6);
  const never = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e300, 1e300];
  const others = ['1', '', true, null, [1], {}, 5n];
  const fractions = type === 'integer' ? [1.5, Math.min(maximum, 2 ** 31) - 0.5] : [];
  return [...never, ...others, ...fractions, below, maximum + Math.max(1, maximum * 1e-9)];
}

function rightValues({ type, minimum, exclusiveMinimum, maximum = Number.NaN }: SettingEntry) {
  const middle = type === 'integer' ? Math.min(2, maximum) : maximum / 2;
  return [minimum ?? (exclusiveMinimum ?? 0) + 1e-9, middle, maximum];
}

for (const [command, table] of Object.entries(TABLES)) {
  const numeric = table.entries.filter(({ type }) => type === 'number' || type === 'integer');
  for (const entry of numeric) {
    test(`${command} ${entry.flag} is ${describeValues(entry)}, and nothing else`, (t) => {
      t.is(typeof entry.maximum, 'number');
      t.is(typeof (entry.minimum ?? entry.exclusiveMinimum), 'number');
      for (const value of wrongValues(entry)) {
        const error = t.throws(
          () => table.parse({ [entry.name]: value }),
          { instanceOf: InputError },
          String(value),
        );
        t.true(
          error.message.startsWith(`Expected ${entry.flag} to be ${describeValues(entry)}, got `),
        );
      }
      for (const value of rightValues(entry)) {
        const parsed: Record<string, unknown> = table.parse({ [entry.name]: value });
        t.is(parsed[entry.name], value);
      }
    });
  }

  test(`every setting of ${command} has a description, and every number a range`, (t) => {
    for (const { name, description, type } of table.entries) {
      t.true(description.length > 5, name);
      t.true(['string', 'number', 'integer', 'boolean', 'array'].includes(type), name);
    }
    t.true(numeric.length >= 3);
  });

  test(`every default of ${command} is one of its values`, (t) => {
    for (const entry of table.entries) {
      if (entry.default === undefined) continue;
      t.notThrows(() => table.parse({ [entry.name]: entry.default }), entry.name);
    }
  });
}

test('no epsilon is zero in float32', (t) => {
  const epsilon = trainSettings.entries.find(({ name }) => name === 'epsilon');
  t.true(Math.fround(epsilon?.minimum ?? 0) > 0);
});
