import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ChunkFiller } from '../../src/data/chunk-filler.ts';
import { scanCorpus } from '../../src/data/scan.ts';
import {
  chunkWindow,
  planEvaluation,
  planTraining,
  type StreamPlan,
} from '../../src/data/streams.ts';
import { TrainingError } from '../../src/errors.ts';
import type { FillRequest } from '../../src/pool/actor-protocol.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const IDS = 64;
const TARGETS = 4096;
const LETTERS = [...'aé中😀bcdefghij'];
const TEXT = Array.from({ length: 500 }, (_, i) => LETTERS[(i * i + 3 * i) % 13]).join('');

function prepare(t: ExecutionContext, text = 'Grüße, 世界! 😀 '.repeat(40), valText = 'Welt 世界') {
  const folder = temporaryFolder(t);
  const [train, val] = ['train.txt', 'val.txt'].map((name) => join(folder, name));
  writeFileSync(train, text);
  writeFileSync(val, valText);
  const index = scanCorpus({ trainPaths: [train], valPaths: [val], tokens: 'char' });
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const filler = new ChunkFiller(index, memory);
  t.teardown(() => filler.close());
  const ids = (value: string) =>
    [...value].map((c) => index.vocabulary.indexOf(c.codePointAt(0) as number));
  return {
    filler,
    words: new Int32Array(memory.buffer),
    train,
    text: ids(text),
    val: ids(valText),
  };
}

/** What a fill is to write: the symbols of (times, streams), and as targets those that follow them in their streams. */
function expectedChunk(text: number[], { first, count, streams, start, times }: FillRequest) {
  const length = Math.floor((count - 1) / streams);
  const rows = Array.from({ length: times * streams }, (_, i) => {
    const [time, stream] = [Math.floor(i / streams), i % streams];
    return first + stream * length + start + time;
  });
  return { ids: rows.map((at) => text[at]), targets: rows.map((at) => text[at + 1]) };
}

function fill(
  { filler, words }: ReturnType<typeof prepare>,
  plan: StreamPlan,
  chunk: number,
  first = 0,
  side: FillRequest['side'] = 'train',
) {
  const { streams, count } = plan;
  const window = chunkWindow(plan, chunk);
  const request = { side, first, count, streams, ...window, ids: IDS, targets: TARGETS };
  filler.fill(request);
  const size = window.times * streams;
  const ids = [...words.subarray(IDS, IDS + size)];
  const targets = [...words.subarray(TARGETS, TARGETS + size)];
  return { request, got: { ids, targets } };
}

test('The chunks of two epochs hold the ids of their streams, targets one later', (t) => {
  const corpus = prepare(t);
  const plan = planTraining(corpus.text.length, 5, 7);
  t.true(plan.chunks > 3);
  for (let i = 0; i < 2 * plan.chunks; i++) {
    const { request, got } = fill(corpus, plan, i % plan.chunks);
    t.deepEqual(got, expectedChunk(corpus.text, request));
  }
});

test('A text of several streams and a validation in its end do not disturb each other', (t) => {
  const corpus = prepare(t, TEXT);
  const training = planTraining(400, 3, 11);
  const validation = planEvaluation(corpus.text.length - 400, 16, 11);
  for (let i = 0; i < training.chunks; i++) {
    const one = fill(corpus, training, i);
    t.deepEqual(one.got, expectedChunk(corpus.text, one.request));
    const other = fill(corpus, validation, i % validation.chunks, 400);
    t.deepEqual(other.got, expectedChunk(corpus.text, other.request));
  }
});

test('The last chunk of a validation file is as short as what is left', (t) => {
  const corpus = prepare(t);
  const plan = planEvaluation(corpus.val.length, 2, 2);
  t.deepEqual([plan.length, plan.chunks], [3, 2]);
  const { request, got } = fill(corpus, plan, 1, 0, 'val');
  t.is(request.times, 1);
  t.deepEqual(got, expectedChunk(corpus.val, request));
});

test('A fill writes its own words only', (t) => {
  const corpus = prepare(t);
  corpus.words.fill(-7);
  fill(corpus, planTraining(corpus.text.length, 3, 4), 1);
  const touched = [...corpus.words.keys()].filter((word) => corpus.words[word] !== -7);
  const range = (first: number) => Array.from({ length: 12 }, (_, i) => first + i);
  t.deepEqual(touched, [...range(IDS), ...range(TARGETS)]);
});

test('Time steps behind the end of the streams are a mistake of the caller', (t) => {
  const { filler } = prepare(t);
  const request = {
    side: 'val',
    first: 0,
    count: 7,
    streams: 2,
    ids: IDS,
    targets: TARGETS,
  } as const;
  t.notThrows(() => filler.fill({ ...request, start: 0, times: 3 }));
  t.throws(() => filler.fill({ ...request, start: 1, times: 3 }), { instanceOf: RangeError });
  t.throws(() => filler.fill({ ...request, start: 0, times: 0 }), { instanceOf: RangeError });
});

test('A file that was cut short fails the fill', (t) => {
  const corpus = prepare(t);
  const plan = planTraining(corpus.text.length, 3, 4);
  fill(corpus, plan, 0);
  truncateSync(corpus.train, 10);
  t.throws(() => fill(corpus, plan, 1), { instanceOf: TrainingError, message: /but it changed/ });
});
