import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';
import type { TrainResult } from '../../src/recipes/reports.ts';
import { sample } from '../../src/recipes/sample.ts';
import { train } from '../../src/recipes/train.ts';
import { runPlace } from '../helpers/runs.ts';

/** A model that knows `abacadae` by heart. */
async function trained(t: ExecutionContext, others = {}): Promise<TrainResult> {
  const { folder, settings } = runPlace(t);
  const text = join(folder, 'pattern.txt');
  writeFileSync(text, 'abacadae'.repeat(60));
  const learning = { files: [text], hidden: 16, lr: 0.02, steps: 150, valFraction: 0 };
  return train(settings('r', { ...learning, ...others }));
}

test('the likeliest text after a prompt is what the model has learnt', async (t) => {
  const { run, steps } = await trained(t);
  const result = await sample(run, { prompt: 'abacadaeab', length: 30, temperature: 0 });
  t.deepEqual(result.texts, ['abacadae'.repeat(5)]);
  t.is(result.prompt, 'abacadaeab');
  t.is(result.length, 30);
  t.is(result.step, steps);
});

test('the same seed draws the same texts, alone or beside others', async (t) => {
  const { run } = await trained(t, { steps: 5 });
  const draw = (seed: number, count = 1) =>
    sample(run, { seed, count, length: 60, temperature: 1.5 });
  const { texts } = await draw(3, 4);
  t.deepEqual((await draw(3, 4)).texts, texts);
  t.deepEqual((await draw(3)).texts, [texts[0]]);
  t.deepEqual((await draw(3, 2)).texts, texts.slice(0, 2));
  t.is(new Set([...texts, ...(await draw(4, 4)).texts]).size, 8);
  t.true(texts.every((text) => text.length === 60));
});

test('a longer sample begins with the shorter one', async (t) => {
  const { run } = await trained(t, { steps: 5 });
  const [short] = (await sample(run, { length: 20 })).texts;
  const [long] = (await sample(run, { length: 50 })).texts;
  t.is(long.slice(0, 20), short);
});

test('top-k 1 is the likeliest token, whatever the seed', async (t) => {
  const { run } = await trained(t, { steps: 30 });
  const draw = (settings: object) => sample(run, { prompt: 'ab', length: 40, ...settings });
  const likeliest = (await draw({ temperature: 0 })).texts;
  t.deepEqual((await draw({ topK: 1, seed: 8, temperature: 2 })).texts, likeliest);
  t.deepEqual((await draw({ topP: 1e-6, seed: 9, temperature: 2 })).texts, likeliest);
  t.notDeepEqual((await draw({ seed: 8, temperature: 2 })).texts, likeliest);
});

test('pieces come as they are drawn, the prompt first, and make up the texts', async (t) => {
  const { run } = await trained(t, { steps: 5 });
  const pieces: [string, number][] = [];
  const { texts } = await sample(
    run,
    { prompt: 'aba', length: 10, count: 2 },
    { onText: (text, index) => pieces.push([text, index]) },
  );
  t.deepEqual(pieces.slice(0, 2), [
    ['aba', 0],
    ['aba', 1],
  ]);
  for (const index of [0, 1]) {
    t.is(
      pieces
        .filter((piece) => piece[1] === index)
        .map(([text]) => text)
        .join(''),
      texts[index],
    );
  }
  t.is(pieces.length, 2 + 20);
});

test('characters of several bytes are whole, drawn byte by byte', async (t) => {
  const { folder, settings } = runPlace(t);
  const text = join(folder, 'umlauts.txt');
  writeFileSync(text, 'äöü€𝄞'.repeat(60));
  const learning: Settings = { files: [text], tokens: 'byte', hidden: 24, lr: 0.02, steps: 300 };
  const { run } = await train(settings('r', learning));
  const pieces: string[] = [];
  const { texts } = await sample(
    run,
    { prompt: 'äöü€𝄞äöü', length: 14, temperature: 0 },
    { onText: (piece) => pieces.push(piece) },
  );
  t.is(texts[0], 'äöü€𝄞äöü€𝄞äöü\uFFFD');
  t.true(pieces.slice(1).every((piece) => [...piece].length === 1));
});

test('a signal ends it with what was drawn', async (t) => {
  const { run } = await trained(t, { steps: 1 });
  const controller = new AbortController();
  let drawn = 0;
  const result = await sample(
    run,
    { length: 1_000_000 },
    {
      signal: controller.signal,
      onText: () => {
        drawn++;
        if (drawn === 40) controller.abort();
      },
    },
  );
  t.is(result.length, 40);
  t.is(result.texts[0].length, 40);
});

test('a prompt with a character outside the vocabulary is refused with its place', async (t) => {
  const { run } = await trained(t, { steps: 1 });
  const error = await t.throwsAsync(sample(run, { prompt: 'abz' }), { instanceOf: InputError });
  t.is(
    error.message,
    'Expected only the 5 characters of the model\'s vocabulary, got "z" (U+007A) at character 2. ' +
      'Remove it from the text.',
  );
});
