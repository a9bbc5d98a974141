/** What a run is trained on: files, validation files, standard input. */
import {
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';
import { evaluate } from '../../src/recipes/evaluate.ts';
import type { RunPlan } from '../../src/recipes/reports.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { smallDisk } from '../helpers/disks.ts';
import { checkpointSteps, linesOf, logsOf, runPlace, TINY_SETTINGS } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleText, writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';

test('several files are one text, in the order given', async (t) => {
  const { settings, folder } = runPlace(t);
  const text = sampleText(1200);
  writeFileSync(join(folder, 'a.txt'), text.slice(0, 500));
  writeFileSync(join(folder, 'b.txt'), text.slice(500));
  const files = (...names: string[]) => names.map((name) => join(folder, name));
  const whole = await train(settings('whole', { steps: 4 }));
  const parts = await train(settings('parts', { steps: 4, files: files('a.txt', 'b.txt') }));
  t.is(parts.paramsSha256, whole.paramsSha256);
  t.is(parts.evalLoss, whole.evalLoss);
  const swapped = await train(settings('swapped', { steps: 4, files: files('b.txt', 'a.txt') }));
  t.not(swapped.paramsSha256, whole.paramsSha256);
});

test('--val files are validated on, and all of the text is trained on', async (t) => {
  const { settings, folder } = runPlace(t);
  const val = [writeText(folder, 'v1.txt', 300, 5), writeText(folder, 'v2.txt', 200, 6)];
  const plans: RunPlan[] = [];
  const result = await train(settings('r', { steps: 6, val }), {
    onPlan: (plan) => plans.push(plan),
  });
  t.is(plans[0].trainSymbols, 1200);
  t.is(plans[0].valSymbols, 500);
  const { loss, tokens } = await evaluate(result.run, val, { chunk: 8 });
  t.is(loss, Number(result.evalLoss));
  t.is(tokens, 16 * Math.floor(499 / 16));
});

test('standard input is kept in the run and resumed from there, wherever that is moved to', async (t) => {
  const { settings, text } = runPlace(t);
  const bytes = readFileSync(text);
  const file = await train(settings('file', { steps: 6 }));
  const piped = settings('piped', { steps: 6, files: ['-'] });
  const controller = new AbortController();
  const stopped = await train(piped, {
    stdin: Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]),
    signal: controller.signal,
    stepsAtOnce: 1,
    onStep: ({ step }) => {
      if (step === 2) controller.abort();
    },
  });
  t.deepEqual(readFileSync(join(stopped.run, 'corpus', 'stdin.txt')), bytes);
  const moved = `${stopped.run} elsewhere`;
  renameSync(stopped.run, moved);
  const result = await resume(moved);
  t.is(result.paramsSha256, file.paramsSha256);
  t.is((await evaluate(moved, [], { chunk: 8 })).loss, Number(result.evalLoss));
});

test('standard input comes into a run folder that is a disk of its own', async (t) => {
  const { settings, text, folder } = runPlace(t);
  const disk = smallDisk(t, 4096);
  if (!disk) return;
  const piped = { ...settings('r', { steps: 2, files: ['-'] }), run: disk.path };
  const { run } = await train(piped, { stdin: Readable.from([readFileSync(text)]) });
  t.deepEqual(readFileSync(join(run, 'corpus', 'stdin.txt')), readFileSync(text));
  t.deepEqual(Object.keys(treeOf(folder)), ['text.txt']);
});

test('what a killed process of the same number has left of the input is removed', async (t) => {
  const { settings, text, folder } = runPlace(t);
  writeFileSync(join(folder, `.r.stdin-${process.pid}-0123456789abcdef`), 'left over');
  const piped = settings('r', { steps: 2, files: ['-'] });
  const { run } = await train(piped, { stdin: Readable.from([readFileSync(text)]) });
  t.deepEqual(readFileSync(join(run, 'corpus', 'stdin.txt')), readFileSync(text));
  t.deepEqual(readdirSync(folder).sort(), ['r', 'text.txt']);
});

const notReplaced = test.macro({
  title: (name) => `${name} is not replaced by the standard input of another run in its folder`,
  async exec(t, texts: (kept: string, folder: string) => Pick<Settings, 'files' | 'val'>) {
    const { settings, text, folder } = runPlace(t);
    const first = settings('r', { steps: 2, files: ['-'] });
    const { run } = await train(first, { stdin: Readable.from([readFileSync(text)]) });
    const given = texts(join(run, 'corpus', 'stdin.txt'), folder);
    const tree = treeOf(folder);
    const stdin = Readable.from([sampleText(2000, 3)]);
    const again = settings('r', { steps: 2, force: true, ...given });
    await t.throwsAsync(train(again, { stdin }), {
      instanceOf: InputError,
      message: /^Expected no file in whose place .* got ".*"\. Choose another --run, or copy .*\.$/,
    });
    t.false(stdin.readableDidRead);
    t.deepEqual(treeOf(folder), tree);
  },
});
test('a kept input that is trained on', notReplaced, (kept) => ({ files: [kept, '-'] }));
test('a kept input that is validated on', notReplaced, (kept) => ({ files: ['-'], val: [kept] }));
test('a kept input that comes by a linked folder', notReplaced, (_, folder) => {
  symlinkSync(folder, join(folder, 'alias'));
  return { files: ['-', join(folder, 'alias', 'r', 'corpus', 'stdin.txt')] };
});
test('a kept input that has another name', notReplaced, (kept, folder) => {
  linkSync(kept, join(folder, 'same.txt'));
  return { files: [join(folder, 'same.txt')], val: ['-'] };
});

test('a file that is not there is told before standard input is read', async (t) => {
  const { settings, folder } = runPlace(t);
  const stdin = Readable.from(['never']);
  const val = [join(folder, 'missing.txt')];
  await t.throwsAsync(train(settings('r', { files: ['-'], val }), { stdin }), {
    instanceOf: InputError,
    message: /missing\.txt.*There is no such file/,
  });
  t.is(stdin.readableDidRead, false);
});

test('a run that is stopped before its text is read leaves nothing', async (t) => {
  const { settings, folder } = runPlace(t);
  const tree = treeOf(folder);
  const reason = new Error('enough');
  const stopped = train(settings('r'), { signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(stopped), reason);
  t.deepEqual(treeOf(folder), tree);
});

test('a text that changes while it is trained on ends the run, its last state saved', async (t) => {
  const folder = temporaryFolder(t);
  // Longer than the loader reads ahead.
  const text = writeText(folder, 'text.txt', 40_000);
  const run = join(folder, 'r');
  const failed = train(
    { ...TINY_SETTINGS, files: [text], run, epochs: 1 },
    {
      onStep: ({ step }) => {
        if (step === 3) writeFileSync(text, sampleText(40_001));
      },
    },
  );
  await t.throwsAsync(failed, { message: /to stay as it was when the run began, but it changed/ });
  const kept = checkpointSteps(run);
  const last = kept[kept.length - 1];
  // At most sixteen chunks had been filled ahead.
  t.true(last >= 3 && last < 20);
  t.is(linesOf(logsOf(run).steps).length, last);
  await t.throwsAsync(resume(run), {
    instanceOf: InputError,
    message: /the text the run was started with/,
  });
});
