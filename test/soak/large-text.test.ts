import test from 'ava';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { measureLargeText, SAME_MEMORY_BYTES } from './large-text.ts';

/** Pairs of trainings, in turns: a busy machine collects later, and so lets more pile up now and then, in either. */
const MOST_PAIRS = 4;

test('a text forty times as long trains in the same memory', async (t) => {
  const folder = temporaryFolder(t);
  // What piles up now and then only adds: the least of each is what it takes.
  let small = Number.POSITIVE_INFINITY;
  let large = Number.POSITIVE_INFINITY;
  for (let pair = 0; pair < MOST_PAIRS; pair++) {
    small = Math.min(small, (await measureLargeText(folder, 10e6)).peakBytes);
    large = Math.min(large, (await measureLargeText(folder, 400e6)).peakBytes);
    if (large - small < SAME_MEMORY_BYTES) break;
  }
  t.true(small > 2 ** 20);
  t.true(large - small < SAME_MEMORY_BYTES, `${small} and ${large} bytes`);
});
