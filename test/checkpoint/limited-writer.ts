/** Run with a limit on the size of files, in a run's folder: writes small and large checkpoints, prints what came of them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockRun } from '../../src/checkpoint/run-lock.ts';
import { storeCheckpoint } from '../../src/checkpoint/store.ts';
import { messageOf } from '../../src/errors.ts';
import { sampleState } from './samples.ts';

const [run] = process.argv.slice(2);
const folder = join(run, 'checkpoints');
const { claim: lock } = lockRun(run);
const arena = new ArrayBuffer(2 ** 20);
const errors = [];
for (const [step, elements] of [
  [1, 100],
  [2, 200_000],
  [3, 100],
]) {
  try {
    const tensors = [{ name: 'w', type: 'float32' as const, shape: [elements], offset: 0 }];
    const header = sampleState(step);
    storeCheckpoint({ folder, step, header, tensors, keep: 5, best: false, lock }, arena);
  } catch (error) {
    errors.push(messageOf(error));
  }
}
console.log(JSON.stringify({ errors, files: readdirSync(folder).sort() }));
