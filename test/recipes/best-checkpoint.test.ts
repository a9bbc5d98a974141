/** best.ckpt where the checkpoint of a best model could not be written: it becomes the best of those that are. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BestCheckpoint } from '../../src/recipes/best-checkpoint.ts';
import { inspect } from '../../src/recipes/inspect.ts';
import type { EvaluationReport } from '../../src/recipes/reports.ts';
import { resume, type TrainOptions, train } from '../../src/recipes/train.ts';
import { runPlace } from '../helpers/runs.ts';

/** Loss of the validations: it falls as long as the network learns letters, and rises as it learns their order. */
function overfitting(t: ExecutionContext) {
  const { folder, settings } = runPlace(t);
  const [text, val] = ['text.txt', 'val.txt'].map((name) => join(folder, name));
  writeFileSync(text, 'abacadae'.repeat(100));
  writeFileSync(val, 'aaaabcaadeaa'.repeat(10));
  const schedule = { lr: 0.015, schedule: 'constant', steps: 30, evalEvery: 5 } as const;
  return settings('r', { files: [text], val: [val], checkpointEvery: 0, ...schedule });
}

/** A run that is stopped after its validation of step `validated`, and otherwise after step `trained`. */
function stoppingAfter(validated: number, trained = Number.NaN) {
  const controller = new AbortController();
  const losses: number[] = [];
  const options: TrainOptions = {
    signal: controller.signal,
    stepsAtOnce: 1,
    onStep: ({ step }) => {
      if (step === trained) controller.abort();
    },
    onEvaluation: ({ step, loss }) => {
      losses.push(loss);
      if (step === validated) controller.abort();
    },
  };
  return { options, losses };
}

/** The checkpoint of the validation after step 10 finds no folder, and the run ends with that step or the next; its last state has one. */
async function runWithoutBest(t: ExecutionContext, lastStep: 10 | 11) {
  const first = stoppingAfter(5);
  const { run } = await train(overfitting(t), first.options);
  const checkpoints = join(run, 'checkpoints');
  const second = stoppingAfter(lastStep, 11);
  const warnings: string[] = [];
  await resume(
    run,
    {},
    {
      ...second.options,
      onEvaluation: (report) => {
        second.options.onEvaluation?.(report);
        renameSync(checkpoints, `${checkpoints} away`);
        writeFileSync(checkpoints, '');
      },
      onWarning: (message) => {
        warnings.push(message);
        rmSync(checkpoints);
        renameSync(`${checkpoints} away`, checkpoints);
      },
    },
  );
  t.is(warnings.length, 1);
  t.regex(warnings[0], /^The checkpoint of step 10 could not be written/);
  const losses = [...first.losses, ...second.losses];
  t.true(losses[2] < losses[1] && losses[1] < losses[0]);
  return { run, best: join(checkpoints, 'best.ckpt'), losses };
}

test('the last state of a run becomes the best where it is, and could not be written at first', async (t) => {
  const { best, losses } = await runWithoutBest(t, 10);
  t.like(inspect(best), { step: 10, evalLoss: losses[2], bestEvalLoss: losses[2] });
});

test('a model that is better than the best checkpoint becomes it, though one that is lost was better still', async (t) => {
  const { run, best, losses } = await runWithoutBest(t, 11);
  t.like(inspect(best), { step: 5, evalLoss: losses[1] });
  const later: EvaluationReport[] = [];
  const { bestEvalLoss } = await resume(run, {}, { onEvaluation: (report) => later.push(report) });
  // Of the whole run, as it is told.
  t.is(bestEvalLoss, losses[2]);
  t.true(later.every((report) => !report.best && report.loss > losses[2]));
  const [lowest] = later.toSorted((a, b) => a.loss - b.loss);
  t.true(lowest.loss < losses[1]);
  t.like(inspect(best), { step: lowest.step, evalLoss: lowest.loss, bestEvalLoss: losses[2] });
});

test('an untrained model does not become the best, nor does one that is worse', async (t) => {
  const settings = { ...overfitting(t), lr: 5, steps: 15 };
  const losses: number[] = [];
  const { run } = await train(settings, { onEvaluation: ({ loss }) => losses.push(loss) });
  t.is(Math.min(...losses), losses[0]);
  t.throws(() => inspect(join(run, 'checkpoints', 'best.ckpt')), {
    message: /nothing of that name/,
  });
});

test('while the best checkpoint is written its loss counts, and no more once it has failed', (t) => {
  const best = new BestCheckpoint(3.4);
  best.writing(3.3);
  t.false(best.isBeatenBy(3.35));
  // The next one waits until that of 3.3 has ended.
  best.writing(3.2);
  best.failed(3.3);
  t.is(best.loss, 3.2);
  best.failed(3.2);
  t.is(best.loss, 3.4);
  best.writing(3.3);
  best.writing(3.2);
  best.written(3.3);
  t.is(best.loss, 3.2);
  best.failed(3.2);
  t.is(best.loss, 3.3);
});
