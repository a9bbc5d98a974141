import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { InputError } from '../../src/errors.ts';
import { startActor } from '../../src/pool/actor.ts';
import type { LoaderApi } from '../../src/pool/actor-protocol.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

function startLoader(t: ExecutionContext) {
  const entry = new URL('../../workers/loader-worker.js', import.meta.url);
  const actor = startActor<LoaderApi>('loader', entry);
  t.teardown(() => actor.terminate());
  return actor;
}

const FILL = { side: 'train', first: 0, count: 9, streams: 2, ids: 16, targets: 32 } as const;

test('The loader thread scans and fills, and a new one goes on with what the old one found', async (t) => {
  const path = join(temporaryFolder(t), 'text.txt');
  writeFileSync(path, 'hgfédcba!');
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const first = startLoader(t);
  const index = await first.calls.scan({ trainPaths: [path], valPaths: [], tokens: 'char' });
  await first.calls.use(index, memory);
  const [outcome] = await first.calls.fill([{ ...FILL, start: 0, times: 2 }]);
  const bytesRead = 'bytes' in outcome ? outcome.bytes : 0;
  // Two windows of three characters; a read is of as many bytes as they may have, and goes over those before them.
  t.true(bytesRead >= 6 && bytesRead <= 2 * 3 * 4 + 4 * 4, `${bytesRead}`);
  const text = () =>
    String.fromCodePoint(...[...words.subarray(16, 20)].map((id) => index.vocabulary[id]));
  t.is(text(), 'hdgc');
  await first.terminate();

  const second = startLoader(t);
  await second.calls.use(index, memory);
  await second.calls.fill([{ ...FILL, start: 2, times: 2 }]);
  t.is(text(), 'fbéa');
});

test('The refusal of a file comes out of the thread as it is', async (t) => {
  const { calls } = startLoader(t);
  const scan = calls.scan({ trainPaths: ['/nowhere.txt'], valPaths: [], tokens: 'char' });
  await t.throwsAsync(scan, { instanceOf: InputError, message: /"\/nowhere.txt".*no such file/ });
});

test('A fill before there is a corpus rejects', async (t) => {
  const { calls } = startLoader(t);
  await t.throwsAsync(calls.fill([{ ...FILL, start: 0, times: 1 }]), { message: /before/ });
});

test('Of many fills each that can be is done; the others say why not', async (t) => {
  const path = join(temporaryFolder(t), 'text.txt');
  writeFileSync(path, 'hgfedcba!');
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const { calls } = startLoader(t);
  const index = await calls.scan({ trainPaths: [path], valPaths: [], tokens: 'char' });
  await calls.use(index, memory);
  const outcomes = await calls.fill([
    { ...FILL, start: 0, times: 1 },
    { ...FILL, start: 4, times: 1 },
    { ...FILL, start: 1, times: 1, ids: 20 },
  ]);
  t.deepEqual(
    outcomes.map((outcome) => ('error' in outcome ? outcome.error.message : 'filled')),
    ['filled', 'No time steps 4 to 5 in streams of 4', 'filled'],
  );
  const text = (at: number) =>
    String.fromCodePoint(...[...words.subarray(at, at + 2)].map((id) => index.vocabulary[id]));
  t.deepEqual([text(16), text(20)], ['hd', 'gc']);
});
