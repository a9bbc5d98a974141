import test from 'ava';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { measureLargeText, SAME_MEMORY_BYTES } from './large-text.ts';

test('a text forty times as long trains in the same memory', async (t) => {
  const folder = temporaryFolder(t);
  const small = await measureLargeText(folder, 10e6);
  const large = await measureLargeText(folder, 400e6);
  t.true(small.peakBytes > 2 ** 20);
  t.true(large.peakBytes - small.peakBytes < SAME_MEMORY_BYTES, `${large.peakBytes}`);
});
