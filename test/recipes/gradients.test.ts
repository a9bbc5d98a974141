/** The look at the gradients is outside the training mathematics, and its log is as reproducible as the steps'. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { GradientsRecord } from '../../src/metrics/records.ts';
import { train } from '../../src/recipes/train.ts';
import { linesOf, logsOf, runPlace } from '../helpers/runs.ts';

const SETTINGS = { steps: 12, evalEvery: 5, layers: 2, dropout: 0.2, checkpointEvery: 5 } as const;

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  test(`a run learns the same whether its gradients are looked at or not: ${cell}`, async (t) => {
    const { settings } = runPlace(t);
    const run = (name: string, gradientsEvery: number) =>
      train(settings(name, { ...SETTINGS, cell, gradientsEvery }));
    const never = await run('never', 0);
    const always = await run('always', 1);
    t.is(always.paramsSha256, never.paramsSha256);
    t.is(always.bestEvalLoss, never.bestEvalLoss);
    t.is(logsOf(always.run).steps, logsOf(never.run).steps);
    t.is(logsOf(never.run).gradients, '');
    const lines = linesOf<GradientsRecord>(logsOf(always.run).gradients);
    t.deepEqual(
      lines.map(({ step }) => step),
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const steps = linesOf(logsOf(always.run).steps);
    for (const [i, { layers }] of lines.entries()) {
      t.deepEqual(
        layers.map(({ layer }) => layer),
        ['embedding', '0', '1', 'head'],
      );
      const norm = Math.hypot(...layers.map(({ gradientNorm }) => gradientNorm));
      t.true(Math.abs(norm - steps[i].gradNorm) <= 1e-9 * norm, 'the layers make up the whole');
      for (const { updateRatio } of layers) t.true(updateRatio > 0 && updateRatio < 1);
    }
  });
}

test('the configuration says how often, and 100 steps unless told', async (t) => {
  const { settings } = runPlace(t);
  const { run } = await train(settings('r', { steps: 1 }));
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  t.is(config.gradientsEvery, 100);
});
