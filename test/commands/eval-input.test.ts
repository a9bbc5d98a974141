/** What `threadloom eval run -` writes while it reads, and that nothing of it stays. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { train } from '../../src/recipes/train.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { created } from '../helpers/created.ts';
import { TINY_SETTINGS } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleText, writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';
import { NOBODY } from './bad-input.ts';

const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
const run = join(folder, 'r');
test.before(async () => {
  await train({ ...TINY_SETTINGS, files: [writeText(folder)], run, steps: 1 });
  chmodSync(folder, 0o755);
});
test.after.always(() => rmSync(folder, { recursive: true }));

/** A user in a folder where nothing can be written, and another folder for temporary files. */
function place(t: ExecutionContext) {
  const [cwd, temporary] = [temporaryFolder(t), temporaryFolder(t)];
  chmodSync(cwd, 0o555);
  chmodSync(temporary, 0o777);
  return { temporary, options: { cwd, user: NOBODY, env: { TMPDIR: temporary } } };
}

test('eval reads standard input where nothing can be written', async (t) => {
  const { temporary, options } = place(t);
  const input = sampleText(500, 33);
  const { code, stdout, stderr } = await runCli(t, ['eval', run, '-', '--json'], {
    ...options,
    input,
  });
  t.is(code, 0, stderr);
  t.is(JSON.parse(stdout).tokens, 16 * Math.floor(499 / 16));
  t.deepEqual(treeOf(temporary), {});
});

test('an input that is refused leaves nothing', async (t) => {
  const { temporary, options } = place(t);
  const { code, lines } = await runCli(t, ['eval', run, '-'], { ...options, input: 'loom é' });
  t.is(code, 2, lines.join('\n'));
  t.regex(lines[0], /got "é" \(U\+00E9\)/);
  t.deepEqual(treeOf(temporary), {});
});

test('a process that ends at once while it reads leaves nothing', async (t) => {
  const { temporary, options } = place(t);
  const spooling = created(t, temporary, '');
  const endAtOnce = 'data:text/javascript,process.on("SIGUSR2", () => process.exit(7))';
  const evaluating = startCli(t, ['eval', run, '-'], {
    ...options,
    nodeFlags: ['--import', endAtOnce],
    input: 'warp',
    open: true,
  });
  await spooling;
  evaluating.child.kill('SIGUSR2');
  t.is((await evaluating.finished).code, 7);
  t.deepEqual(treeOf(temporary), {});
});

test('a folder for temporary files that is not there is told in one line', async (t) => {
  const { temporary, options } = place(t);
  const env = { TMPDIR: join(temporary, 'missing') };
  const { code, lines } = await runCli(t, ['eval', run, '-'], { ...options, env, input: 'warp' });
  t.is(code, 2);
  t.is(lines.length, 1);
  t.regex(
    lines[0],
    /^threadloom: Expected a folder for temporary files that can be written \(ENOENT.*Set TMPDIR to another\.$/,
  );
});
