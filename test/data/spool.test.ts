import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { spool } from '../../src/data/spool.ts';
import { InputError, TrainingError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

test('All of the input is in the file', async (t) => {
  const path = join(temporaryFolder(t), 'stdin.txt');
  const pieces = Array.from({ length: 100 }, (_, i) => Buffer.alloc(50_000, i));
  t.is(await spool(Readable.from(pieces), path), 5_000_000);
  t.true(readFileSync(path).equals(Buffer.concat(pieces)));
});

test('An input without a byte is refused and leaves no file', async (t) => {
  const path = join(temporaryFolder(t), 'stdin.txt');
  await t.throwsAsync(spool(Readable.from([]), path), {
    instanceOf: InputError,
    message: /standard input, got none/,
  });
  t.false(existsSync(path));
});

test('An input that fails half way leaves no file', async (t) => {
  const path = join(temporaryFolder(t), 'stdin.txt');
  const input = Readable.from(
    (async function* () {
      yield Buffer.alloc(100_000);
      throw new Error('pipe broke');
    })(),
  );
  await t.throwsAsync(spool(input, path), {
    instanceOf: TrainingError,
    message: /Could not store standard input in ".*": pipe broke/,
  });
  t.false(existsSync(path));
});

test('A stopped input ends with the reason and leaves no file', async (t) => {
  const path = join(temporaryFolder(t), 'stdin.txt');
  const controller = new AbortController();
  const input = new Readable({ read() {} });
  input.push('some text');
  const spooling = spool(input, path, controller.signal);
  const reason = new Error('stopped by the user');
  input.once('data', () => controller.abort(reason));
  t.is(await t.throwsAsync(spooling), reason);
  t.false(existsSync(path));
});

test('A file that is there already is neither replaced nor removed', async (t) => {
  const path = join(temporaryFolder(t), 'stdin.txt');
  writeFileSync(path, 'precious');
  await t.throwsAsync(spool(Readable.from(['x']), path), { instanceOf: TrainingError });
  t.is(readFileSync(path, 'utf8'), 'precious');
});

test('A folder that is not there fails with its name', async (t) => {
  const path = join(temporaryFolder(t), 'missing', 'stdin.txt');
  await t.throwsAsync(spool(Readable.from(['x']), path), { message: /missing.*ENOENT/ });
});
