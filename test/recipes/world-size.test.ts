/** Law 1 on whole runs: what they leave does not depend on the number of workers, even where it changes in the middle. */
import test from 'ava';
import type { Settings } from '../../src/config/config.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { forceNative, NATIVE_VARIANTS } from '../helpers/native-variants.ts';
import { linesOf, logsOf, runPlace } from '../helpers/runs.ts';
import { stateOf } from '../helpers/state.ts';

/** 7 lanes of 11 streams, so shards of unequal size; 19 chunks an epoch, so the run crosses the end of one. */
const SETTINGS: Settings = {
  batch: 11,
  lanes: 7,
  chunk: 5,
  layers: 2,
  dropout: 0.3,
  optimizer: 'adamw',
  clipNorm: 0.2,
  steps: 20,
  evalEvery: 7,
  evalStreams: 5,
  gradientsEvery: 3,
};
const WORKERS = [1, 2, 3, 5, 8];
const VARIANTS = ['wasm', 'reference', ...NATIVE_VARIANTS] as const;

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  for (const variant of VARIANTS) {
    test.serial(
      `a run on 1, 2, 3, 5 and 8 workers in turn equals one on 4: ${cell}, ${variant}`,
      async (t) => {
        const { settings } = runPlace(t);
        let backend: 'wasm' | 'reference' | 'native' = 'native';
        if (variant === 'wasm' || variant === 'reference') backend = variant;
        else t.teardown(forceNative(variant));
        const whole = await train(settings('whole', { ...SETTINGS, cell, backend, workers: 4 }));
        if (backend === 'native') t.is(whole.variant, variant);
        const { run } = settings('turns');
        let turns = whole;
        for (const [turn, workers] of WORKERS.entries()) {
          const controller = new AbortController();
          const onStep = ({ step }: { step: number }) => {
            if (step === 4 * (turn + 1)) controller.abort();
          };
          const options = { signal: controller.signal, stepsAtOnce: 1, onStep };
          turns =
            turn === 0
              ? await train(settings('turns', { ...SETTINGS, cell, backend, workers }), options)
              : await resume(String(run), { workers }, options);
          t.is(turns.steps, 4 * (turn + 1));
          t.is(turns.workers, workers);
        }
        // Stopped in its last step: it has yet to be validated and to end.
        turns = await resume(String(run), { workers: 2 });
        t.is(turns.paramsSha256, whole.paramsSha256);
        t.deepEqual(stateOf(String(turns.checkpoint)), stateOf(String(whole.checkpoint)));
        t.deepEqual(logsOf(turns.run), logsOf(whole.run));
        t.is(linesOf(logsOf(whole.run).gradients).length, 6);
      },
    );
  }
}
