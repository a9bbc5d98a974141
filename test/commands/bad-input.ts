/** The macro of the bad-input table: one clear line, exit 2, nothing written. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type CliOptions, type Finished, QUIET_TINY, runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { runTogether } from '../helpers/together.ts';
import { treeOf } from '../helpers/tree.ts';

export interface BadInput extends CliOptions {
  args: readonly string[];
  /** The line behind `threadloom: `. */
  says: RegExp;
  /** Makes the rest of the folder, which holds text.txt, before the command runs in it. */
  before?: (folder: string) => void;
}

export const train = (...args: string[]) => [
  'train',
  'text.txt',
  ...QUIET_TINY,
  '--run',
  'r',
  ...args,
];
export const trainOn = (...files: string[]) => ['train', ...files, ...QUIET_TINY, '--run', 'r'];
export const file = (name: string, bytes: string | Uint8Array) => (folder: string) =>
  writeFileSync(join(folder, name), bytes);

/** Root may read and write everything: as root, a row about permissions runs as nobody. */
export const NOBODY = process.getuid?.() === 0 ? 65_534 : undefined;

function check(t: ExecutionContext, { stdout, lines, code }: Finished, says: RegExp): void {
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(lines[0], /^threadloom: /);
  t.regex(lines[0].slice('threadloom: '.length), says);
  t.is(stdout, '');
  t.is(code, 2);
}

const title = (name = '') => `${name} is refused in one line, and nothing is written`;

/** In a process of its own. */
export const refusedAlone = test.macro({
  title,
  async exec(t: ExecutionContext, { args, says, before, ...options }: BadInput) {
    const cwd = temporaryFolder(t);
    writeText(cwd);
    before?.(cwd);
    if (options.user !== undefined) chmodSync(cwd, 0o777);
    const tree = treeOf(cwd);
    check(t, await runCli(t, args, { cwd, ...options }), says);
    t.deepEqual(treeOf(cwd), tree);
  },
});

/** In one process with all others of a file. `env` is the only option. */
export function refusedTogether() {
  const rows: BadInput[] = [];
  const folders: string[] = [];
  const trees: object[] = [];
  let outcomes: Finished[] = [];
  test.before(async () => {
    for (const { before } of rows) {
      const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
      writeText(folder);
      before?.(folder);
      folders.push(folder);
      trees.push(treeOf(folder));
    }
    outcomes = await runTogether(
      rows.map(({ args, env = {} }, row) => ({ args, env, cwd: folders[row] })),
    );
  });
  test.after.always(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  return (name: string, row: BadInput) => {
    const index = rows.push(row) - 1;
    test(title(name), (t) => {
      check(t, outcomes[index], row.says);
      t.deepEqual(treeOf(folders[index]), trees[index]);
    });
  };
}
