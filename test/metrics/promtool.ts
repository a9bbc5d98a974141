/** What Prometheus's own tool thinks of metrics. */
import { spawnSync } from 'node:child_process';
import type { ExecutionContext } from 'ava';

/** An entropy is measured in bits; the tool takes it for an amount of memory. */
const ACCEPTED = [
  'threadloom_train_bits_per_token use base unit "bytes" instead of "bits"',
  'threadloom_validation_bits_per_token use base unit "bytes" instead of "bits"',
];

/** Asserts that it has no other complaint; says so where it is not installed. */
export function checkWithPromtool(t: ExecutionContext, text: string): void {
  const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (check.error) {
    t.log(`skipped: promtool does not run here (${check.error.message})`);
    t.pass();
    return;
  }
  const complaints = (check.stdout + check.stderr).split('\n').filter((line) => line !== '');
  t.deepEqual(complaints, ACCEPTED);
}
