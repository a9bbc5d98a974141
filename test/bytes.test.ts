import test from 'ava';
import { formatBytes } from '../src/bytes.ts';

test('bytes are told in the unit that suits, with three digits or whole', (t) => {
  t.is(formatBytes(0), '0 B');
  t.is(formatBytes(1023), '1023 B');
  t.is(formatBytes(1536), '1.50 KiB');
  t.is(formatBytes(99.96 * 2 ** 20), '100 MiB');
  t.is(formatBytes(999.6 * 2 ** 20), '1000 MiB');
  t.is(formatBytes(1023 * 2 ** 20), '1023 MiB');
  t.is(formatBytes(2 ** 30), '1.00 GiB');
  t.is(formatBytes(2 ** 62), '4096 PiB');
});
