/** A run whose folder another process took over, while its machine slept, writes no more there. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { LOCK } from '../../src/checkpoint/lock-file.ts';
import { thisOwner } from '../../src/checkpoint/run-owner.ts';
import { TrainingError } from '../../src/errors.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { laterBy } from '../helpers/clock.ts';
import { noteWarnings, runPlace } from '../helpers/runs.ts';
import { treeOf } from '../helpers/tree.ts';

test.serial(
  'a run that was taken over ends with an error and leaves the folder as it is',
  async (t) => {
    const { settings } = runPlace(t);
    const options = { steps: 20, checkpointEvery: 8 };
    const undisturbed = await train(settings('undisturbed', options));

    const controller = new AbortController();
    const { run } = await train(settings('disturbed', options), {
      signal: controller.signal,
      stepsAtOnce: 1,
      onStep: ({ step }) => {
        if (step === 8) controller.abort();
      },
    });
    let tree: object | undefined;
    const warnings: string[] = [];
    // At step 10 no checkpoint is being written: that of step 8 was whole before, the next is due at 16.
    const onStep = ({ step }: { step: number }) => {
      if (step !== 10) return;
      const thief = { ...thisOwner(), host: 'elsewhere', processes: 'other/pid:[1]' };
      writeFileSync(join(run, LOCK), JSON.stringify(thief));
      laterBy(t, 600_000);
      tree = treeOf(run);
    };
    const training = resume(run, {}, { onStep, onWarning: noteWarnings(warnings) });
    await t.throwsAsync(training, {
      instanceOf: TrainingError,
      message: /to stay this process's, but process \d+ on host "elsewhere" has taken it over/,
    });
    t.deepEqual(treeOf(run), tree);
    t.true(
      warnings.every((line) => line.includes('has taken it over')),
      warnings.join('\n'),
    );

    rmSync(join(run, LOCK));
    t.is((await resume(run)).paramsSha256, undisturbed.paramsSha256);
  },
);
