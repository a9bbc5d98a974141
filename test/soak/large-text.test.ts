import test from 'ava';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { measureLargeText, SAME_MEMORY_BYTES } from './large-text.ts';

test('a text forty times as long trains in the same memory', async (t) => {
  const folder = temporaryFolder(t);
  // A busy machine collects later, and so lets more pile up now and then: the lower of two peaks.
  const lowerPeak = async (bytes: number) => {
    const peaks = [await measureLargeText(folder, bytes), await measureLargeText(folder, bytes)];
    return Math.min(...peaks.map(({ peakBytes }) => peakBytes));
  };
  const small = await lowerPeak(10e6);
  const large = await lowerPeak(400e6);
  t.true(small > 2 ** 20);
  t.true(large - small < SAME_MEMORY_BYTES, `${small} and ${large} bytes`);
});
