import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { SampleReport } from '../../src/recipes/reports.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { linesOf, logsOf, runPlace } from '../helpers/runs.ts';

const SAMPLED = { steps: 12, sampleEvery: 4, sampleLength: 30, checkpointEvery: 2 };
const samplesOf = (run: string) => readFileSync(join(run, 'samples.ndjson'), 'utf8');

test('text is drawn as training goes, told and logged, and changes nothing of the training', async (t) => {
  const { settings } = runPlace(t);
  const told: SampleReport[] = [];
  const sampled = await train(settings('sampled', SAMPLED), {
    onSample: (sample) => told.push(sample),
  });
  const plain = await train(settings('plain', { steps: 12, checkpointEvery: 2 }));
  t.deepEqual(
    told.map(({ step }) => step),
    [4, 8, 12],
  );
  const text = readFileSync(settings('').files![0], 'utf8');
  for (const sample of told) {
    t.is(sample.text.length, 30);
    t.true([...sample.text].every((character) => text.includes(character)));
  }
  t.is(new Set(told.map((sample) => sample.text)).size, 3);
  t.deepEqual(linesOf<SampleReport>(samplesOf(sampled.run)), told);
  t.is(samplesOf(plain.run), '');
  t.is(sampled.paramsSha256, plain.paramsSha256);
  t.deepEqual(logsOf(sampled.run), logsOf(plain.run));
});

test('the same text is drawn by any number of workers, for every cell and kind of token', async (t) => {
  for (const others of [{ cell: 'gru' }, { cell: 'rnn', tokens: 'byte', layers: 2 }] as const) {
    const { settings } = runPlace(t);
    const runs = [1, 2, 3].map((workers) =>
      train(settings(`${workers}`, { ...SAMPLED, ...others, workers })),
    );
    const texts = (await Promise.all(runs)).map(({ run }) => samplesOf(run));
    t.true(texts[0].length > 100);
    t.deepEqual(new Set(texts).size, 1);
  }
});

test('a run stopped at any step and resumed has drawn what one never stopped has', async (t) => {
  const { settings } = runPlace(t);
  const { run } = await train(settings('whole', SAMPLED));
  for (const last of [3, 4, 8, 11]) {
    const controller = new AbortController();
    const stopped = await train(settings(`stopped-${last}`, SAMPLED), {
      signal: controller.signal,
      stepsAtOnce: 1,
      onStep: ({ step }) => {
        if (step === last) controller.abort();
      },
    });
    t.is(stopped.steps, last);
    await resume(stopped.run, { workers: 1 });
    t.is(samplesOf(stopped.run), samplesOf(run), `stopped after ${last}`);
  }
});

test('a length without samples is refused', async (t) => {
  const { settings } = runPlace(t);
  await t.throwsAsync(train(settings('refused', { sampleLength: 10 })), {
    message:
      'Expected --sample-length only with --sample-every. Leave it out, or choose --sample-every.',
  });
});
