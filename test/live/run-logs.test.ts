import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readRunLogs } from '../../src/live/run-logs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { PHASES } from './sample-points.ts';

const step = (number: number, others: object = {}) =>
  JSON.stringify({
    ...{ step: number, epoch: 1, tokens: 32 * number, loss: 2, gradNorm: 1, clipScale: 1, lr: 0.1 },
    ...others,
  });
const timing = (number: number) =>
  JSON.stringify({ step: number, seconds: 0.5, phaseSeconds: { load: 0.25, compute: 0.125 } });
const lines = (...all: string[]) => `${all.join('\n')}\n`;

test('steps come with their timings, where there are any', async (t) => {
  const folder = temporaryFolder(t);
  const clipped = step(2, { loss: 4, clipScale: 0.5 });
  writeFileSync(join(folder, 'steps.ndjson'), lines(step(1), clipped, step(3)));
  writeFileSync(join(folder, 'timings.ndjson'), lines(timing(2), timing(3), timing(4)));
  const { points } = await readRunLogs(folder, PHASES);
  t.deepEqual(
    points.map((point) => [point.step, point.loss, point.tokensPerSecond, point.phaseSeconds]),
    [
      [1, 2, 0, [0, 0, 0]],
      [2, 4, 64, [0.25, 0.125, 0]],
      [3, 2, 64, [0.25, 0.125, 0]],
    ],
  );
  t.deepEqual(
    points.map(({ clippedShare }) => clippedShare),
    [0, 1, 0],
  );
});

test('what came between two steps counts with the later, what came after all with the last', async (t) => {
  const folder = temporaryFolder(t);
  const of = (number: number, seconds: number, betweenSeconds: object) =>
    JSON.stringify({ step: number, seconds, phaseSeconds: { compute: 0.5 }, betweenSeconds });
  const after = (number: number) =>
    JSON.stringify({
      ...{ step: number, seconds: 0, phaseSeconds: {} },
      betweenSeconds: { evaluate: 4, compute: 0.25 },
    });
  writeFileSync(join(folder, 'steps.ndjson'), lines(step(1), step(2), step(3)));
  writeFileSync(
    join(folder, 'timings.ndjson'),
    lines(
      of(1, 0.5, { evaluate: 2 }),
      of(1, 0.5, { evaluate: 8 }),
      of(2, 0.5, [7]),
      after(1),
      of(3, 0.5, { evaluate: 'x' }),
      after(3),
    ),
  );
  const { points } = await readRunLogs(folder, ['compute', 'evaluate']);
  t.deepEqual(
    points.map(({ phaseSeconds, tokensPerSecond }) => [...phaseSeconds, tokensPerSecond]),
    [
      [0.5, 2, 64],
      [0.5, 0, 64],
      [0.75, 4, 64],
    ],
  );
});

test('workers were busy for their share of a step and of what came with it, as far as the lines tell', async (t) => {
  const folder = temporaryFolder(t);
  const of = (number: number, seconds: number, busySeconds?: unknown) =>
    JSON.stringify({ step: number, seconds, phaseSeconds: { compute: 0.5 }, busySeconds });
  const all = [1, 2, 3, 4, 5].map((number) => step(number));
  writeFileSync(join(folder, 'steps.ndjson'), lines(...all));
  writeFileSync(
    join(folder, 'timings.ndjson'),
    lines(
      of(1, 0.5, [0.25, 0.5]),
      of(2, 0.5),
      of(3, 0.5, [0.25, 'x']),
      of(4, 0.5, [0.25, 9, -1]),
      of(5, 0.5, [0.5, 0.25]),
      of(5, 0, [0, 0.25]),
    ),
  );
  const { points } = await readRunLogs(folder, PHASES);
  t.deepEqual(
    points.map(({ busyShares }) => busyShares),
    [[0.5, 1], [], [], [0.5, 1, 0], [0.5, 0.5]],
  );
});

test('a log ends at a hole, however large that is', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'steps.ndjson');
  writeFileSync(path, lines(step(1), step(2)));
  truncateSync(path, 2 ** 40);
  appendFileSync(path, `\n${lines(step(3))}`);
  const history = await readRunLogs(folder, PHASES);
  t.deepEqual(
    history.points.map((point) => point.step),
    [1, 2],
  );
});

test('hostile, torn and repeated lines are passed over', async (t) => {
  const folder = temporaryFolder(t);
  const hostile = [
    'no JSON',
    '[1]',
    'null',
    '{"step":1e400}',
    '{"__proto__":{"step":5},"tokens":"x"}',
    step(2, { loss: '2' }),
    step(-1),
    step(2.5),
    step(1),
    'x'.repeat(1_200_000),
    '',
  ];
  const torn = step(9).slice(0, 20);
  writeFileSync(
    join(folder, 'steps.ndjson'),
    `${lines(step(1), ...hostile, step(5, { loss: null }))}${torn}`,
  );
  writeFileSync(join(folder, 'timings.ndjson'), lines('{"step":1,"seconds":1,"phaseSeconds":[]}'));
  const gradients = {
    layer: '0',
    gradientNorm: 1,
    updateRatio: 1,
    normByLag: [{ lag: 0, norm: 1 }],
  };
  const wrong = { ...gradients, normByLag: new Array(100).fill({ lag: 0, norm: 1 }) };
  writeFileSync(
    join(folder, 'gradients.ndjson'),
    lines(
      JSON.stringify({ step: 4, layers: [gradients] }),
      JSON.stringify({ step: 5, layers: [gradients, { layer: 7 }] }),
      JSON.stringify({ step: 6, layers: [wrong] }),
    ),
  );
  const history = await readRunLogs(folder, PHASES);
  t.deepEqual(
    history.points.map((point) => [point.step, point.loss]),
    [
      [1, 2],
      [5, null],
    ],
  );
  t.deepEqual(history.gradients[0].layers[0].normByLag, [{ lag: 0, norm: 1 }]);
  t.is(history.gradients.length, 2);
});

test('what was not finite is kept as such', async (t) => {
  const folder = temporaryFolder(t);
  const layer = { layer: '0', gradientNorm: null, updateRatio: null };
  const normByLag = [
    { lag: 0, norm: 1 },
    { lag: 1, norm: null },
  ];
  const layers = [{ ...layer, normByLag }];
  writeFileSync(join(folder, 'gradients.ndjson'), lines(JSON.stringify({ step: 4, layers })));
  const evaluations = [3, null, 2].map((loss, step) => JSON.stringify({ step, tokens: 1, loss }));
  writeFileSync(join(folder, 'evals.ndjson'), lines(...evaluations));
  const history = await readRunLogs(folder, PHASES);
  t.like(history.gradients[0].layers[0], layers[0]);
  t.deepEqual(
    history.evaluations.map(({ loss, best }) => [loss, best]),
    [
      [3, true],
      [null, false],
      [2, true],
    ],
  );
});

test('only whole lines within the bytes that count are read', async (t) => {
  const folder = temporaryFolder(t);
  const counted = lines(step(1), step(2));
  writeFileSync(join(folder, 'steps.ndjson'), counted + lines(step(3)));
  const count = async (bytes: number) =>
    (await readRunLogs(folder, PHASES, { steps: bytes })).points.length;
  t.is(await count(counted.length), 2);
  t.is(await count(counted.length - 1), 1);
  t.is(await count(counted.length + 5), 2);
  t.is(await count(0), 0);
});

test('a hundred thousand steps are read into a bounded history, none of them lost', async (t) => {
  const folder = temporaryFolder(t);
  const all = Array.from({ length: 100_000 }, (_, i) => step(i + 1));
  writeFileSync(join(folder, 'steps.ndjson'), lines(...all));
  const { points } = await readRunLogs(folder, PHASES);
  t.true(points.length <= 2000);
  t.is(
    points.reduce((sum, { steps }) => sum + steps, 0),
    100_000,
  );
  t.is(points.at(-1)?.step, 100_000);
});

test('validations tell which was the best so far; the first and the latest samples are kept', async (t) => {
  const folder = temporaryFolder(t);
  const evaluation = (number: number, loss: number) =>
    JSON.stringify({ step: number, epoch: 1, tokens: 32 * number, loss });
  writeFileSync(
    join(folder, 'evals.ndjson'),
    lines(evaluation(0, 4), evaluation(10, 2), evaluation(20, 3)),
  );
  const samples = Array.from({ length: 80 }, (_, i) => JSON.stringify({ step: i, text: `${i}` }));
  writeFileSync(join(folder, 'samples.ndjson'), lines(...samples));
  const lists = (await readRunLogs(folder, PHASES)).toLists();
  t.deepEqual(
    lists.evaluations.map(({ loss, best }) => [loss, best]),
    [
      [4, true],
      [2, true],
      [3, false],
    ],
  );
  t.is(lists.samples.length, 50);
  t.is(lists.samples[0].step, 0);
  t.is(lists.samples[1].step, 31);
  t.is(lists.samples[49].step, 79);
});

test('of a long sample the beginning is kept, and says so, however its log escapes it', async (t) => {
  const folder = temporaryFolder(t);
  const long = '\u0001'.repeat(100_000);
  const samples = [long, 'short', `${'x'.repeat(19_999)}😀`];
  const log = samples.map((text, i) => JSON.stringify({ step: i + 1, text }));
  writeFileSync(join(folder, 'samples.ndjson'), lines(...log));
  const texts = (await readRunLogs(folder, PHASES)).samples.map(({ text }) => text);
  t.is(texts[0], `${long.slice(0, 20_000)}\n… and 80,000 characters more, in samples.ndjson`);
  t.is(texts[1], 'short');
  t.is(texts[2], `${'x'.repeat(19_999)}\n… and 2 characters more, in samples.ndjson`);
});

test('what is no regular file of the folder is no log', async (t) => {
  const folder = temporaryFolder(t);
  const elsewhere = join(temporaryFolder(t), 'secret');
  writeFileSync(elsewhere, lines(step(1)));
  symlinkSync(elsewhere, join(folder, 'steps.ndjson'));
  mkdirSync(join(folder, 'evals.ndjson'));
  const history = await readRunLogs(folder, PHASES);
  t.deepEqual([history.points.length, history.evaluations.length], [0, 0]);
});
