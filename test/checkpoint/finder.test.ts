import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openNewest, openTarget } from '../../src/checkpoint/finder.ts';
import { checkpointName, storeCheckpoint } from '../../src/checkpoint/store.ts';
import { InputError } from '../../src/errors.ts';
import { someLock } from '../helpers/lock.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleState, sampleTensors } from './samples.ts';

/** A run with a checkpoint of each of these steps. */
function makeRun(t: ExecutionContext, steps: number[]) {
  const run = temporaryFolder(t);
  const folder = join(run, 'checkpoints');
  mkdirSync(folder);
  const { arena, sources: tensors } = sampleTensors();
  const lock = someLock(t);
  for (const step of steps) {
    const header = sampleState(step);
    storeCheckpoint({ folder, step, header, tensors, keep: 9, best: step === 1, lock }, arena);
  }
  return { run, pathOf: (step: number) => join(folder, checkpointName(step)), folder };
}

function foundStep(t: ExecutionContext, target: string): { step: number; warnings: string[] } {
  const { checkpoint, warnings } = openTarget(target);
  t.teardown(() => checkpoint.close());
  return { step: checkpoint.header.progress.step, warnings };
}

test('A run means its newest checkpoint, a file means itself', (t) => {
  const { run, pathOf, folder } = makeRun(t, [1, 20, 100]);
  t.deepEqual(foundStep(t, run), { step: 100, warnings: [] });
  t.deepEqual(foundStep(t, pathOf(20)), { step: 20, warnings: [] });
  t.deepEqual(foundStep(t, join(folder, 'best.ckpt')), { step: 1, warnings: [] });
});

test('Broken checkpoints are passed over with a warning each', (t) => {
  const { run, pathOf } = makeRun(t, [1, 2, 3, 4]);
  truncateSync(pathOf(4), 500);
  const bytes = readFileSync(pathOf(3));
  bytes[300] ^= 1;
  writeFileSync(pathOf(3), bytes);
  const { step, warnings } = foundStep(t, run);
  t.is(step, 2);
  t.is(warnings.length, 2);
  t.regex(warnings[0], /step-00000004.ckpt": it is truncated/);
  t.regex(warnings[1], /step-00000003.ckpt": it is damaged/);
});

test('A run with no whole checkpoint is refused with the reason', (t) => {
  const { run, pathOf } = makeRun(t, [7]);
  truncateSync(pathOf(7), 99);
  t.throws(() => openNewest(run), {
    instanceOf: InputError,
    message: /No checkpoint of ".*" can be used\. .*step-00000007.ckpt": it is truncated/,
  });
});

test('What is no run is refused in words', (t) => {
  const folder = temporaryFolder(t);
  t.throws(() => openTarget(join(folder, 'missing')), {
    instanceOf: InputError,
    message:
      /^Expected the folder of a run or a checkpoint file, got ".*missing"\. There is nothing/,
  });
  t.throws(() => openTarget(folder), { instanceOf: InputError, message: /no checkpoints folder/ });
  t.throws(() => openTarget(makeRun(t, []).run), { instanceOf: InputError, message: /got none/ });
  const file = join(folder, 'text.txt');
  writeFileSync(file, 'text');
  t.throws(() => openTarget(file), { instanceOf: InputError, message: /not a checkpoint/ });
  t.throws(() => openTarget(join(file, 'x')), { instanceOf: InputError, message: /nothing/ });
});
