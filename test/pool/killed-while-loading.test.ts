import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const VICTIMS = fileURLToPath(new URL('./loading-victims.js', import.meta.url));

// Where Node.js loads a thread's entry with require(), its end while modules are linked aborts the process: one of 300 here.
test('a thread may be ended at any moment of its loading', (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [VICTIMS, '1'], {
    encoding: 'utf8',
  });
  t.deepEqual({ status, stdout }, { status: 0, stdout: 'survived\n' }, stderr);
});
