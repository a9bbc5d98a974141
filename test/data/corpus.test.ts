import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { type CorpusRequest, openCorpus } from '../../src/data/corpus.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { treeOf } from '../helpers/tree.ts';

test('two inputs for one run lie side by side, and each goes alone', async (t) => {
  const folder = temporaryFolder(t);
  const request: CorpusRequest = {
    trainPaths: ['-'],
    valPaths: [],
    tokens: 'char',
    run: join(folder, 'r'),
  };
  const open = (text: string) => openCorpus(request, { stdin: Readable.from([text]) });
  const first = await open('the first');
  t.teardown(first.close);
  const second = await open('the second');
  t.is(Object.keys(treeOf(folder)).length, 2);
  await second.close();
  first.placeSpooled(join(folder, 'r', 'stdin.txt'));
  await first.moveSpooled();
  await first.close();
  t.is(readFileSync(join(folder, 'r', 'stdin.txt'), 'utf8'), 'the first');
  t.deepEqual(Object.keys(treeOf(folder)), ['r', join('r', 'stdin.txt')]);
});
