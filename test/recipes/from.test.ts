import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';
import { evaluate } from '../../src/recipes/evaluate.ts';
import { train } from '../../src/recipes/train.ts';
import { linesOf, logsOf, runPlace } from '../helpers/runs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleText, writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';

const MODEL = { cell: 'rnn', activation: 'relu', hidden: 11, layers: 2, embed: 5 } as const;
/** Settings of the new run, without sizes. */
const NEW: Settings = { batch: 3, chunk: 5, workers: 2, metrics: false, steps: 4 };

test('--from starts with the weights of another run, sizes taken over, on a new text', async (t) => {
  const { folder, settings } = runPlace(t);
  const source = await train(settings('source', { ...MODEL, steps: 9 }));
  const tree = treeOf(source.run);
  const text = writeText(folder, 'new.txt', 900, 77);
  const val = [writeText(folder, 'val.txt', 300, 78)];
  const result = await train({
    ...NEW,
    from: source.run,
    files: [text],
    val,
    run: join(folder, 'r'),
  });

  const config = JSON.parse(readFileSync(join(result.run, 'config.json'), 'utf8'));
  t.like(config, { ...MODEL, tokens: 'char', batch: 3, from: source.run });
  const [before] = linesOf<{ step: number; loss: number }>(logsOf(result.run).evals);
  t.is(before.step, 0);
  t.is(before.loss, (await evaluate(source.run, val, { chunk: 5 })).loss);
  t.is(result.steps, 4);
  t.is(linesOf(logsOf(result.run).steps)[0].step, 1);
  t.not(result.paramsSha256, source.paramsSha256);
  t.deepEqual(treeOf(source.run), tree);
});

test('--from takes one checkpoint too, and settings beside the sizes are free', async (t) => {
  const { folder, text, settings } = runPlace(t);
  const source = await train(settings('source', { steps: 9 }));
  const from = join(source.run, 'checkpoints', 'best.ckpt');
  const others = { optimizer: 'sgd', dropout: 0.3, seed: 5, steps: 1, lr: 1e-9 } as const;
  const result = await train({ ...NEW, ...others, from, files: [text], run: join(folder, 'r') });
  const loss = (run: string) => evaluate(run, [text], { workers: 1 });
  t.true(Math.abs((await loss(result.run)).loss - (await loss(from)).loss) < 1e-6);
});

test('a damaged newest checkpoint is passed over with a warning', async (t) => {
  const { folder, text, settings } = runPlace(t);
  const source = await train(settings('source', { steps: 3 }));
  writeFileSync(String(source.checkpoint), 'no checkpoint');
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  await train({ ...NEW, from: source.run, files: [text], run: join(folder, 'r') }, { onWarning });
  t.is(warnings.filter((line) => /it is not a checkpoint/.test(line)).length, 1);
});

test('how to draw weights is said to have no effect where they come from a checkpoint', async (t) => {
  const { folder, text, settings } = runPlace(t);
  const source = await train(settings('source', { cell: 'lstm', steps: 1 }));
  const warningsOf = async (run: string, others: Settings) => {
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    const place = { from: source.run, files: [text], run: join(folder, run) };
    await train({ ...NEW, steps: 1, ...others, ...place }, { onWarning });
    return warnings;
  };
  t.deepEqual(await warningsOf('plain', {}), []);
  t.deepEqual(await warningsOf('drawn', { init: 'uniform', forgetBias: 2 }), [
    'The weights come from --from: --init and --forget-bias have no effect.',
  ]);
});

const refused = test.macro({
  title: (name) => `--from with ${name} is refused, and nothing is written`,
  async exec(t, others: Settings, says: RegExp, newText: string = sampleText(900, 5)) {
    const { folder, settings } = runPlace(t);
    const source = await train(settings('source', { ...MODEL, steps: 1 }));
    const text = join(temporaryFolder(t), 'new.txt');
    writeFileSync(text, newText);
    const tree = treeOf(folder);
    const from = others.from ? join(folder, others.from) : source.run;
    const run = join(folder, 'r');
    const error = await t.throwsAsync(train({ ...NEW, ...others, from, files: [text], run }), {
      instanceOf: InputError,
    });
    t.regex(error.message, says);
    t.deepEqual(treeOf(folder), tree);
  },
});

test(
  'an unknown character',
  refused,
  {},
  /^Expected only the \d+ characters of the model's vocabulary in .*, got "é" \(U\+00E9\) at character 7, byte 7\./,
  `threadsé${sampleText(900)}`,
);
test(
  'another width',
  refused,
  { hidden: 12 },
  /^Expected hidden 11, as in the checkpoint .*, got 12\. Use the checkpoint's own sizes\.$/,
);
test('other layers', refused, { layers: 1 }, /^Expected layers 2, as in the checkpoint/);
test('another embedding', refused, { embed: 6 }, /^Expected embed 5, as in the checkpoint/);
test(
  'another cell',
  refused,
  { cell: 'gru' },
  /^Expected cell rnn, as in the checkpoint .*, got gru\./,
);
test(
  'another activation',
  refused,
  { activation: 'tanh' },
  /^Expected activation relu, as in the checkpoint/,
);
test(
  'other tokens',
  refused,
  { tokens: 'byte' },
  /^Expected --tokens char, as in the checkpoint .*, got "byte"\. Leave it out\.$/,
);
test(
  'a run that is not there',
  refused,
  { from: 'nowhere' },
  /^Expected the folder of a run or a checkpoint file, got .*nowhere"/,
);
