/** Run with a limit on the size of files: writes a small and a large checkpoint, prints what came of them. */
import { readdirSync } from 'node:fs';
import { storeCheckpoint } from '../../src/checkpoint/store.ts';
import { messageOf } from '../../src/errors.ts';
import { sampleState } from './samples.ts';

const [folder] = process.argv.slice(2);
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
    storeCheckpoint({ folder, step, header, tensors, keep: 5, best: false }, arena);
  } catch (error) {
    errors.push(messageOf(error));
  }
}
console.log(JSON.stringify({ errors, files: readdirSync(folder).sort() }));
