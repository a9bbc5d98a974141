/** Rows of the bad-input table about checkpoints, for every command that reads one. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { train } from '../../src/recipes/train.ts';
import { seal } from '../checkpoint/samples.ts';
import { type Finished, QUIET_TINY } from '../helpers/cli.ts';
import { TINY_SETTINGS } from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';
import { runTogether } from '../helpers/together.ts';
import { treeOf } from '../helpers/tree.ts';

/** What is done to every checkpoint of a run, and what is then said of it. */
const DAMAGES: Record<string, [(bytes: Buffer) => Buffer, RegExp]> = {
  truncated: [
    (bytes) => bytes.subarray(0, bytes.length - 100),
    /it is truncated: its end is missing/,
  ],
  'cut to its first bytes': [(bytes) => bytes.subarray(0, 10), /it is truncated/],
  empty: [() => Buffer.alloc(0), /it is truncated|it is not a checkpoint/],
  'bit-flipped': [flipped, /it is damaged: its contents do not match its checksum/],
  newer: [newer, /it has format version 2, written by a newer Threadloom; this one reads up to 1/],
  foreign: [
    () => Buffer.from('PK\u0003\u0004 some other file'),
    /it is not a checkpoint of Threadloom/,
  ],
};

const COMMANDS: Record<string, (target: string) => string[]> = {
  resume: () => ['resume', 'r'],
  sample: () => ['sample', 'r'],
  'sample of one file': (path) => ['sample', path],
  eval: () => ['eval', 'r'],
  inspect: () => ['inspect', 'r'],
  'inspect of one file': (path) => ['inspect', path],
  'train --from': () => ['train', 'text.txt', ...QUIET_TINY, '--from', 'r', '--run', 'new'],
};

function flipped(bytes: Buffer): Buffer {
  bytes[bytes.length >> 1] ^= 0x10;
  return bytes;
}

function newer(bytes: Buffer): Buffer {
  bytes.writeUint32LE(2, 8);
  return seal(bytes);
}

const root = mkdtempSync(join(tmpdir(), 'threadloom-'));
const outcomes = new Map<string, Finished>();
const trees = new Map<string, object>();
const name = (damage: string, command: string) => `${damage}, ${command}`;

test.before(async () => {
  const files = [writeText(root)];
  const run = join(root, 'r');
  await train({ ...TINY_SETTINGS, files, run, steps: 2 });
  const lines = Object.entries(DAMAGES).flatMap(([damage, [change]]) => {
    const cwd = join(root, damage);
    cpSync(run, join(cwd, 'r'), { recursive: true });
    writeText(cwd);
    const folder = join(cwd, 'r', 'checkpoints');
    for (const file of readdirSync(folder)) {
      writeFileSync(join(folder, file), change(readFileSync(join(folder, file))));
    }
    trees.set(damage, treeOf(cwd));
    const target = join('r', 'checkpoints', 'best.ckpt');
    return Object.entries(COMMANDS).map(([command, args]) => ({
      key: name(damage, command),
      line: { args: args(target), cwd, env: {} },
    }));
  });
  const results = await runTogether(lines.map(({ line }) => line));
  for (const [i, { key }] of lines.entries()) outcomes.set(key, results[i]);
});
test.after.always(() => rmSync(root, { recursive: true }));

for (const [damage, [, says]] of Object.entries(DAMAGES)) {
  for (const command of Object.keys(COMMANDS)) {
    test(`a checkpoint that is ${damage} is refused in one line: ${command}`, (t) => {
      const { code, lines, stdout } = outcomes.get(name(damage, command)) as Finished;
      t.is(lines.length, 1, lines.join('\n'));
      t.regex(lines[0], /^threadloom: (Cannot use checkpoint|No checkpoint of) "/);
      t.regex(lines[0], says);
      t.is(stdout, '');
      t.is(code, 2);
    });
  }

  test(`nothing is written by commands that refuse a checkpoint that is ${damage}`, (t) => {
    t.deepEqual(treeOf(join(root, damage)), trees.get(damage) as object);
  });
}
