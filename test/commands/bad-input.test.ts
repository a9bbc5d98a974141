/** Rows of the bad-input table that need a process of their own: standard input, permissions, ports, Node itself. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { QUIET_TINY, runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';
import { file, NOBODY, refusedAlone, train, trainOn } from './bad-input.ts';

test('an unreadable file', refusedAlone, {
  args: trainOn('secret.txt'),
  before: (folder) => {
    file('secret.txt', 'secret')(folder);
    chmodSync(join(folder, 'secret.txt'), 0);
  },
  user: NOBODY,
  says: /^Expected a text file, got "secret\.txt"\. This user may not read it/,
});
test('empty standard input', refusedAlone, {
  args: trainOn('-'),
  says: /^Expected text on standard input, got none\./,
});
test('empty standard input for a run in a folder that is not there', refusedAlone, {
  args: ['train', '-', ...QUIET_TINY, '--run', 'a/b/c'],
  says: /^Expected text on standard input, got none\./,
});
test('standard input named twice', refusedAlone, {
  args: trainOn('-', '-'),
  says: /^Expected - \(standard input\) at most once, got it 2 times\.$/,
});
test('standard input that is not UTF-8', refusedAlone, {
  args: trainOn('-'),
  input: Buffer.from([0x61, 0x80]),
  says: /^Expected UTF-8 text in .*, got invalid bytes at byte offset 1\./,
});
test('standard input for a run below a file', refusedAlone, {
  args: ['train', '-', ...QUIET_TINY, '--run', 'text.txt/r'],
  input: 'text',
  says: /^Expected --run to be a folder that can be written/,
});
test('standard input for a run that is to train on what it kept of the last one', refusedAlone, {
  args: [...trainOn('r/corpus/stdin.txt', '-'), '--force'],
  before: (folder) => {
    mkdirSync(join(folder, 'r', 'corpus'), { recursive: true });
    file('r/config.json', '{}')(folder);
    file('r/corpus/stdin.txt', 'kept')(folder);
  },
  input: 'text',
  says: /^Expected no file in whose place the run would keep - \(standard input\), got "r\/corpus\/stdin\.txt"\. /,
});
test('a text that is of the run to be replaced', refusedAlone, {
  args: [...trainOn('text.txt', 'link/steps.ndjson'), '--force'],
  before: (folder) => {
    mkdirSync(join(folder, 'r'));
    symlinkSync('r', join(folder, 'link'));
    file('r/config.json', '{}')(folder);
    file('r/steps.ndjson', 'of the run that was')(folder);
  },
  says: /^Expected no text that --force would remove, got "link\/steps\.ndjson"\. Copy it, or choose another --run\.$/,
});
test('a run folder that cannot be made', refusedAlone, {
  args: ['train', 'text.txt', ...QUIET_TINY, '--run', 'closed/r'],
  before: (folder) => mkdirSync(join(folder, 'closed'), { mode: 0o555 }),
  user: NOBODY,
  says: /^Expected --run to be a folder that can be written, got closed\/r/,
});
test('a run folder that cannot be looked into', refusedAlone, {
  args: train(),
  before: (folder) => mkdirSync(join(folder, 'r'), { mode: 0o000 }),
  user: NOBODY,
  says: /^Expected --run to be a folder that can be /,
});

const LITTLE_MEMORY = 'data:text/javascript,process.availableMemory = () => 100000';
test('a memory plan above the free memory', refusedAlone, {
  args: train(),
  nodeFlags: ['--import', LITTLE_MEMORY],
  says: /^Expected the memory plan to fit 97\.7 KiB \(as much as memory is free\), got \d+ KiB\. Lower /,
});
test('more workers than the free memory has room for', refusedAlone, {
  args: [...train(), '--workers', '4096'],
  nodeFlags: ['--import', 'data:text/javascript,process.availableMemory = () => 2 ** 30'],
  says: /^Expected --workers to fit 102\d MiB \(as much as memory is free beside the arena\), got 4096, which take 32\.0 GiB at least\. Lower --workers\.$/,
});
for (const version of ['18.20.4', '20.18.9', '16.0.0']) {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
  test(`Node ${version}`, refusedAlone, {
    args: train(),
    nodeFlags: ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`],
    says: new RegExp(
      `^Expected Node\\.js 20\\.19 or newer, got ${version.replaceAll('.', '\\.')}\\.`,
    ),
  });
}

test('a metrics port in use is refused in one line, and nothing is written', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const tree = treeOf(cwd);
  const args = ['train', 'text.txt', '--run', 'r', '--metrics-port', String(port)];
  const { code, lines } = await runCli(t, args, { cwd });
  t.deepEqual(lines, [
    `threadloom: Expected --metrics-port to be free, got ${port} (in use). ` +
      'Use another port, --metrics-port 0 for any free one, or --no-metrics.',
  ]);
  t.is(code, 2);
  t.deepEqual(treeOf(cwd), tree);
});
