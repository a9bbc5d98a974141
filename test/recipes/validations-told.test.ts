import test from 'ava';
import { Metrics } from '../../src/metrics/metrics.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { runPlace } from '../helpers/runs.ts';

test('every validation is recorded when it begins, and again when it ends', async (t) => {
  const told: string[] = [];
  Metrics.prototype.recordEvaluationBegin = () => told.push('begin');
  Metrics.prototype.recordEvaluation = ({ step }) => told.push(`end of ${step}`);
  const { settings } = runPlace(t);
  const { run } = await train(settings('told', { steps: 4, evalEvery: 2 }));
  const both = (step: number) => ['begin', `end of ${step}`];
  t.deepEqual(told, [0, 2, 4].flatMap(both));
  await resume(run, { steps: 6 });
  t.deepEqual(told, [0, 2, 4, 6].flatMap(both));
});
