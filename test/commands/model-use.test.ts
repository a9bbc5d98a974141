/** sample, eval and inspect on one small run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { train } from '../../src/recipes/train.ts';
import { type Finished, QUIET_TINY, runCli } from '../helpers/cli.ts';
import { TINY_SETTINGS } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { runTogether } from '../helpers/together.ts';
import { treeOf } from '../helpers/tree.ts';

const cwd = mkdtempSync(join(tmpdir(), 'threadloom-'));
const run = join(cwd, 'r');
let trained: Awaited<ReturnType<typeof train>>;
test.before(async () => {
  const files = [writeText(cwd)];
  trained = await train({ ...TINY_SETTINGS, files, run, steps: 20, evalEvery: 10, cell: 'gru' });
  writeFileSync(join(cwd, 'odd.txt'), 'loom é');
  refusals = await together(...REFUSED.map(([, args]) => [...args]));
});
test.after.always(() => rmSync(cwd, { recursive: true }));

const together = (...lines: string[][]) =>
  runTogether(lines.map((args) => ({ args, cwd, env: {} })));

test('a run of files that were named from one folder is evaluated from any other', async (t) => {
  const here = temporaryFolder(t);
  writeText(here, 'text.txt', 1200);
  const training = ['train', 'text.txt', ...QUIET_TINY, '--run', 'r', '--steps', '3', '--json'];
  const trained = await runCli(t, training, { cwd: here });
  const line = ['eval', join(here, 'r'), '--json'];
  const evaluated = await runCli(t, line, { cwd: temporaryFolder(t) });
  t.is(evaluated.code, 0, evaluated.stderr);
  t.is(JSON.parse(evaluated.stdout).loss, JSON.parse(trained.stdout).evalLoss);
});

test('sample prints a prompt and what follows, the same for the same seed', async (t) => {
  const line = ['sample', 'r', '--prompt', 'loom', '--length', '40', '--seed', '7'];
  const [one, again, other, checkpoint] = await together(
    line,
    line,
    [...line.slice(0, -1), '8'],
    ['sample', 'r/checkpoints/best.ckpt', ...line.slice(2)],
  );
  t.is(one.code, 0);
  t.is(one.stderr, '');
  t.regex(one.stdout, /^loom[a-z .\n]{40}\n$/);
  t.is(again.stdout, one.stdout);
  t.not(other.stdout, one.stdout);
  t.is(checkpoint.stdout, one.stdout);
});

test('sample --count prints texts behind headings, --json an object', async (t) => {
  const line = ['sample', 'r', '--count', '3', '--length', '12', '--temperature', '1.5'];
  const [plain, json] = await together(line, [...line, '--json']);
  const { texts, length, step, checkpoint, prompt } = JSON.parse(json.stdout);
  t.is(texts.length, 3);
  t.deepEqual({ length, step, prompt }, { length: 12, step: 20, prompt: '' });
  t.is(checkpoint, join('r', 'checkpoints', 'step-00000020.ckpt'));
  const blocks = texts.map((text: string, i: number) => `--- ${i + 1} of 3 ---\n${text}\n`);
  t.is(plain.stdout, blocks.join(''));
});

test('sample --top-k 1, a tiny --top-p and --temperature 0 all take the likeliest', async (t) => {
  const line = ['sample', 'r', '--length', '50', '--seed', '3'];
  const outcomes = await together(
    [...line, '--temperature', '0'],
    [...line, '--top-k', '1', '--temperature', '5'],
    [...line, '--top-p', '1e-6', '--temperature', '5'],
    [...line, '--temperature', '5'],
  );
  const texts = outcomes.map(({ stdout }) => stdout);
  t.is(texts[1], texts[0]);
  t.is(texts[2], texts[0]);
  t.not(texts[3], texts[0]);
});

test("eval without files gives the run's last validation loss", async (t) => {
  const [json, plain] = await together(
    ['eval', 'r', '--json', '--chunk', '8'],
    ['eval', 'r', '--chunk', '8', '--workers', '1'],
  );
  const result = JSON.parse(json.stdout);
  t.is(json.stderr, '');
  t.is(result.loss, trained.evalLoss);
  t.is(result.perplexity, Math.exp(result.loss));
  t.is(result.paramsSha256, trained.paramsSha256);
  t.regex(plain.stdout, new RegExp(`^ {2}loss +${result.loss.toFixed(4)} nats \\(`));
  t.regex(plain.stdout, /^ {2}compute +1 workers/m);
});

test('eval takes other files and standard input', async (t) => {
  const other = writeText(cwd, 'other.txt', 500, 33);
  const [json] = await together(['eval', 'r', 'other.txt', '--json']);
  const piped = await runCli(t, ['eval', 'r', '-', '--json'], { cwd, input: readFileSync(other) });
  const { seconds: _, ...file } = JSON.parse(json.stdout);
  const { seconds: __, ...input } = JSON.parse(piped.stdout);
  t.deepEqual(input, file);
  t.is(file.tokens, 16 * Math.floor(499 / 16));
});

test('inspect says what the run is, and changes nothing', async (t) => {
  const tree = treeOf(run);
  const [json, plain, step] = await together(
    ['inspect', 'r', '--json'],
    ['inspect', 'r'],
    ['inspect', join('r', 'checkpoints', 'step-00000010.ckpt'), '--json'],
  );
  const inspection = JSON.parse(json.stdout);
  t.like(inspection, {
    step: 20,
    epoch: 1,
    tokens: 20 * 32,
    finished: true,
    evalLoss: trained.evalLoss,
    parameterCount: trained.parameters,
    optimizer: 'adam',
    warnings: [],
  });
  t.deepEqual(inspection.parameters[1], { name: 'rnn.weight_ih_l0', shape: [24, 4], count: 96 });
  t.is(inspection.config.hidden, 8);
  t.is(
    inspection.bytes,
    readFileSync(
      inspection.checkpoint[0] === '/' ? inspection.checkpoint : join(cwd, inspection.checkpoint),
    ).length,
  );
  t.is(JSON.parse(step.stdout).step, 10);
  t.regex(plain.stdout, /^ {2}progress +step 20, epoch 1, 640 tokens, finished$/m);
  t.regex(plain.stdout, /^ {2}rnn\.weight_hh_l0 +\(24, 8\) +192$/m);
  t.regex(plain.stdout, /^ {2}hidden +8$/m);
  t.deepEqual(treeOf(run), tree);
});

const REFUSED = [
  [
    'sample with a prompt character outside the vocabulary',
    ['sample', 'r', '--prompt', 'loom!'],
    /got "!" \(U\+0021\) at character 4\./,
  ],
  [
    'sample of nothing',
    ['sample', 'nowhere'],
    /^Expected the folder of a run or a checkpoint file, got "nowhere"\./,
  ],
  ['sample without a run', ['sample'], /Not enough non-option arguments/],
  ['sample with an extra argument', ['sample', 'r', 'x'], /Unknown (argument|command): x/],
  [
    'sample with a negative temperature',
    ['sample', 'r', '--temperature', '-1'],
    /^Expected --temperature to be a number from 0 to 100, got -1\./,
  ],
  [
    'sample with top-p 0',
    ['sample', 'r', '--top-p', '0'],
    /^Expected --top-p to be a number above 0, at most 1, got 0\./,
  ],
  [
    'sample of length 0',
    ['sample', 'r', '--length', '0'],
    /^Expected --length to be a whole number from 1 /,
  ],
  ['sample with a flag of train', ['sample', 'r', '--lr', '1'], /^Unknown flag "--lr"\./],
  [
    'eval of a character outside the vocabulary',
    ['eval', 'r', 'odd.txt'],
    /got "é" \(U\+00E9\) at character 5, byte 5\./,
  ],
  ['eval of a missing file', ['eval', 'r', 'nowhere.txt'], /There is no such file/],
  ['eval of a folder', ['eval', 'r', '.'], /That is a folder/],
  ['inspect of a folder without a run', ['inspect', '.'], /It has no checkpoints folder/],
  ['inspect of a text', ['inspect', 'text.txt'], /it is not a checkpoint of Threadloom\.$/],
  [
    'resume of nothing',
    ['resume', 'nowhere'],
    /^Expected a run folder \(with a config\.json\), got "nowhere"\./,
  ],
  ['resume with a flag of train', ['resume', 'r', '--hidden', '9'], /^Unknown flag "--hidden"\./],
  [
    'resume with wrong steps',
    ['resume', 'r', '--steps', '0'],
    /^Expected --steps to be a whole number from 1 /,
  ],
  [
    'train --from nothing',
    ['train', 'text.txt', '--from', 'nowhere', '--run', 'new'],
    /^Expected the folder of a run or a checkpoint file/,
  ],
] as const;

let refusals: Finished[];

for (const [row, [name, , says]] of REFUSED.entries()) {
  test(`${name} is refused in one line`, (t) => {
    const { code, lines, stdout } = refusals[row];
    t.is(lines.length, 1, lines.join('\n'));
    t.is(stdout, '');
    t.true(lines[0].startsWith('threadloom: '));
    t.regex(lines[0].slice('threadloom: '.length), says);
    t.is(code, 2);
  });
}
