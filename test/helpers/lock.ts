import type { ExecutionContext } from 'ava';
import { type LockClaim, lockRun } from '../../src/checkpoint/run-lock.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The lock of a folder of its own, held until the test ends. */
export function someLock(t: ExecutionContext): LockClaim {
  const lock = lockRun(temporaryFolder(t));
  t.teardown(lock.release);
  return lock.claim;
}
