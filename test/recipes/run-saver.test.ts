import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import { lockRun } from '../../src/checkpoint/run-lock.ts';
import { BEST_CHECKPOINT } from '../../src/checkpoint/store.ts';
import { resolveConfig } from '../../src/config/config.ts';
import { surroundings } from '../../src/machine.ts';
import { NO_PROGRESS } from '../../src/recipes/restore.ts';
import type { RunJournal } from '../../src/recipes/run-journal.ts';
import type { RunShape } from '../../src/recipes/run-plan.ts';
import { RunProgress } from '../../src/recipes/run-progress.ts';
import { RunSaver } from '../../src/recipes/run-saver.ts';
import type { RunTelemetry } from '../../src/recipes/run-telemetry.ts';
import type { TrainingParts } from '../../src/recipes/training-parts.ts';
import { sampleState } from '../checkpoint/samples.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** The saver of a run without an engine, whose snapshot takes no time, and the steps it tells of. */
function startSaver(t: ExecutionContext, onFailed: () => void) {
  const run = temporaryFolder(t);
  const lock = lockRun(run);
  t.teardown(() => lock.release());
  const { model, tokens, vocabulary, corpus, progress: sample } = sampleState();
  const saved: number[] = [];
  const checkpoints = join(run, 'checkpoints');
  const config = resolveConfig({ files: ['text.txt'], run }, surroundings());
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const layout = {
    snapshot: { parameters: 0, moments: [] },
    regions: [{ name: 'snapshot carry', shape: [0], offset: 0 }],
  };
  const parts = {
    config,
    corpus: { index: { ...corpus, tokens, vocabulary } },
    engine: { memory, coordinator: { snapshot: async () => {} } },
    plan: {
      ...{ layout, table: { parameters: [] } },
      request: { spec: model, kernels: { backend: 'wasm', variant: 'relaxed' } },
    },
    folder: { checkpoints, claim: lock.claim, doubtOwned: () => {} },
    recorder: { recordCheckpoint: () => {}, recordCheckpointFailure: () => {} },
    observer: { onCheckpoint: ({ step }: { step: number }) => saved.push(step) },
  } as unknown as TrainingParts;
  const shape = { training: { chunks: 10 } } as RunShape;
  const progress = new RunProgress(config, shape, NO_PROGRESS);
  const journal = { sizes: sample.logBytes, toSync: () => [], fail: onFailed };
  const telemetry = { time: (_: string, work: () => Promise<void>) => work() };
  const saver = new RunSaver(
    parts,
    progress,
    journal as unknown as RunJournal,
    telemetry as unknown as RunTelemetry,
  );
  t.teardown(() => saver.close());
  return { saver, progress, saved, checkpoints };
}

test('a failure that is told while the next checkpoint waits does not take back that one', async (t) => {
  let failures = 0;
  const { saver, progress, saved, checkpoints } = startSaver(t, () => {
    failures++;
    rmSync(checkpoints);
  });
  writeFileSync(checkpoints, 'in the way');
  progress.step = 10;
  await saver.save({ wait: false });
  progress.step = 12;
  progress.evaluated(2.5);
  await saver.save({ wait: false });
  t.is(failures, 1);
  await saver.saveLast();
  t.deepEqual(saved, [12]);
});

test('while a run goes on, the next model that is better than the best checkpoint becomes it', async (t) => {
  const { saver, progress, saved, checkpoints } = startSaver(t, () => rmSync(checkpoints));
  const validate = async (step: number, loss: number) => {
    progress.step = step;
    progress.evaluated(loss);
    await saver.save({ wait: true });
  };
  await validate(5, 3.4);
  rmSync(checkpoints, { recursive: true });
  writeFileSync(checkpoints, 'in the way');
  await validate(10, 3.2);
  await validate(15, 3.3);
  await validate(20, 3.35);
  t.deepEqual(saved, [5, 15, 20]);
  const best = openCheckpoint(join(checkpoints, BEST_CHECKPOINT));
  t.teardown(() => best.close());
  t.like(best.header.progress, { step: 15, lastEvalLoss: 3.3, bestLoss: 3.2 });
});
