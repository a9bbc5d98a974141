/**
 * A process that takes the lock of the folder given to it, at the first line on its standard input, and says what came of it:
 * `won`, or why not. The winner keeps it until its standard input ends; killed, it leaves it.
 */
import { once } from 'node:events';
import { lockRun } from '../../src/checkpoint/run-lock.ts';
import { InputError } from '../../src/errors.ts';

process.stdout.write('ready\n');
await once(process.stdin, 'data');
try {
  const lock = lockRun(process.argv[2]);
  process.stdout.write('won\n');
  await once(process.stdin.resume(), 'end');
  lock.release();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  process.stdout.write(`${error.message}\n`);
}
