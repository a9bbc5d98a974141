import test from 'ava';
import { fileCacheBytes } from '../src/machine.ts';

test('what a control group holds of files is told by its statistics, of both versions', (t) => {
  const second =
    'anon 4096\nfile 900\ninactive_anon 7\nactive_anon 8\ninactive_file 500\nactive_file 200\n';
  t.is(fileCacheBytes(second), 700);
  const first =
    'cache 900\ninactive_file 1\nactive_file 2\ntotal_cache 9000\ntotal_inactive_file 5000\ntotal_active_file 2000\n';
  t.is(fileCacheBytes(first), 7000);
  t.is(fileCacheBytes(''), 0);
});
