import { EventEmitter, once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { InputError } from '../../src/errors.ts';
import { type EvaluateResult, evaluate } from '../../src/recipes/evaluate.ts';
import { train } from '../../src/recipes/train.ts';
import { runPlace } from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';

test("a run's own validation text gives the run's last validation loss", async (t) => {
  const { settings } = runPlace(t);
  const result = await train(settings('r', { steps: 10, evalStreams: 5 }));
  const tree = treeOf(result.run);
  const evaluated = await evaluate(result.run, [], { evalStreams: 5, chunk: 8 });
  t.is(evaluated.loss, Number(result.evalLoss));
  t.is(evaluated.bitsPerToken, Number(result.bitsPerToken));
  t.is(evaluated.perplexity, Number(result.perplexity));
  t.is(evaluated.perplexity, Math.exp(evaluated.loss));
  t.is(evaluated.paramsSha256, result.paramsSha256);
  t.is(evaluated.step, 10);
  t.is(evaluated.tokens, 5 * Math.floor(119 / 5));
  t.deepEqual(treeOf(result.run), tree);
});

test('the loss depends neither on the chunk, nor on workers, nor on the backend beyond rounding', async (t) => {
  const { text, settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 10, layers: 2, dropout: 0.4 }));
  const first = await evaluate(run, [text], { workers: 1, chunk: 64 });
  for (const workers of [2, 3, 20]) {
    t.is(
      (await evaluate(run, [text], { workers, chunk: 64 })).loss,
      first.loss,
      `${workers} workers`,
    );
  }
  for (const chunk of [1, 7, 74, 10_000]) {
    const { loss, tokens } = await evaluate(run, [text], { chunk });
    t.true(Math.abs(loss - first.loss) <= 1e-12 * loss, `chunk ${chunk}`);
    t.is(tokens, first.tokens);
  }
  const { loss } = await evaluate(run, [text], { backend: 'reference' });
  t.true(Math.abs(loss - first.loss) <= 1e-5 * loss);
});

test('streams start from zero each, so their number matters a little', async (t) => {
  const { text, settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 10 }));
  const [one, many] = [1, 40].map((evalStreams) => evaluate(run, [text], { evalStreams }));
  t.is((await one).tokens, 1199);
  t.is((await many).tokens, 40 * Math.floor(1199 / 40));
  t.not((await one).loss, (await many).loss);
  t.true(Math.abs((await one).loss - (await many).loss) < 0.1);
});

test('two characters are one target, and more streams than targets are fewer', async (t) => {
  const { folder, settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 1 }));
  writeFileSync(join(folder, 'two.txt'), 'or');
  const { tokens, loss } = await evaluate(run, [join(folder, 'two.txt')]);
  t.is(tokens, 1);
  t.true(loss > 0);
});

test('a text that is none of the run is scored, from standard input too', async (t) => {
  const { folder, settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 1 }));
  const other = writeText(folder, 'other.txt', 700, 99);
  const file = await evaluate(run, [other]);
  const stdin = Readable.from([readFileSync(other)]);
  const piped: EvaluateResult = await evaluate(run, ['-'], {}, { stdin });
  t.is(piped.loss, file.loss);
});

test('an evaluation of standard input leaves another one its own', async (t) => {
  const { text, settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 1 }));
  const bytes = readFileSync(text);
  const [reading, waiting] = [new EventEmitter(), new EventEmitter()];
  const halves = async function* () {
    yield bytes.subarray(0, 600);
    const goOn = once(waiting, 'over');
    reading.emit('half');
    await goOn;
    yield bytes.subarray(600);
  };
  const half = once(reading, 'half');
  const slow = evaluate(run, ['-'], {}, { stdin: Readable.from(halves()) });
  await half;
  const other = evaluate(run, ['-'], {}, { stdin: Readable.from([bytes.subarray(0, 700)]) });
  const both = Promise.all([slow, other.finally(() => waiting.emit('over'))]);
  t.deepEqual(
    (await both).map(({ tokens }) => tokens),
    [16 * Math.floor(1199 / 16), 16 * Math.floor(699 / 16)],
  );
});

const refused = test.macro({
  title: (name) => `${name} is not evaluated`,
  async exec(t, text: string | undefined, says: RegExp, valFraction: number = 0.1) {
    const { folder, text: own, settings } = runPlace(t);
    const { run } = await train(settings('r', { steps: 1, valFraction }));
    const path = join(folder, 'other.txt');
    if (text !== undefined) writeFileSync(path, text);
    else if (valFraction > 0) writeFileSync(own, 'changed');
    const files = text === undefined ? [] : [path];
    const error = await t.throwsAsync(evaluate(run, files), { instanceOf: InputError });
    t.regex(error.message, says);
  },
});
test(
  'a character outside the vocabulary',
  refused,
  'loom\nß',
  /got "ß" \(U\+00DF\) at character 5, byte 5\. Remove it from the text/,
);
test(
  'a text of one character',
  refused,
  'l',
  /^Expected at least 2 symbols of text to validate on, got 1\./,
);
test('an empty text', refused, '', /got an empty file/);
test(
  'a text of the run that has changed',
  refused,
  undefined,
  /characters of the model's vocabulary|the text the run was trained on/,
);
test(
  'a run without validation text',
  refused,
  undefined,
  /^Expected files to evaluate on: the run of .* kept no validation text\.$/,
  0,
);

test('a signal ends an evaluation with its reason', async (t) => {
  const { folder, settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 1 }));
  const long = writeText(folder, 'long.txt', 300_000);
  const controller = new AbortController();
  const reason = new Error('enough');
  // The loader's thread is the first, compute threads come once the text is scanned.
  let threads = 0;
  const stop = () => {
    threads++;
    if (threads === 2) controller.abort(reason);
  };
  process.on('worker', stop);
  t.teardown(() => process.off('worker', stop));
  const evaluation = evaluate(run, [long], { workers: 1, backend: 'reference' }, controller);
  t.is(await t.throwsAsync(evaluation), reason);
});
