/** A small training on a real engine, without files: all that the pool does in a run, in a few milliseconds. */
import { createHash } from 'node:crypto';
import type { BackendRequest } from '../../src/kernels/backend.ts';
import type { CellName } from '../../src/model/spec.ts';
import { ADAM, fillSlot, smallSpec, startTestEngine, type TestEngine } from '../helpers/engine.ts';
import type { OrderKinds } from './random.ts';

const STEPS = 5;
const SIZES = { streams: 7, times: 4, lanes: 5 };
/** Deaths in all that the pool does in one small training. */
export const POOL_ORDERS: OrderKinds = {
  jobs: ['ping', 'initialize', 'pack', 'train', 'reduce', 'update', 'snapshot', 'evaluate'],
  most: 2,
  mostOfJob: 2,
  spared: (job) => (['train', 'reduce', 'update'].includes(job) ? STEPS : 0),
};

/** A hang costs a second: no task takes longer. */
export function startSmallEngine(
  cell: CellName,
  backend: BackendRequest,
  workers: number,
  onWarning: (message: string) => void,
): Promise<TestEngine> {
  const options = { ...SIZES, spec: smallSpec(cell), workers, backend, optimizer: ADAM };
  return startTestEngine(options, { limitSeconds: 1, onWarning });
}

/** How steps are given out: so many at once, and the next ones before the last one of them ended. */
export interface GivingOut {
  atOnce: number;
  ahead: boolean;
}

/** A whole small run from generation 0 on; everything that belongs to its result. */
export async function trainSmall(
  { plan, engine }: TestEngine,
  { atOnce, ahead }: GivingOut,
): Promise<object> {
  const { coordinator, views } = engine;
  const { layout, table } = plan;
  const words = (offset: number, length: number) =>
    createHash('sha256')
      .update(views.reals.slice(offset, offset + length))
      .digest('hex');
  const region = (name: string) => {
    const { offset, length } = layout.regions.find((candidate) => candidate.name === name)!;
    return words(offset, length);
  };
  coordinator.generation = 0;
  for (const moment of layout.moments)
    views.reals.fill(0, moment[0], moment[0] + table.paddedLength);
  await coordinator.initialize();
  await coordinator.packWeights();
  const outcomes: number[] = [];
  const requests = Array.from({ length: STEPS }, (_, step) => {
    fillSlot({ plan, engine }, step, (stream, time) => (5 * stream + step + time * time) % 13);
    return { slot: step, fromZero: step === 0, learningRate: 0.01, clipNorm: 0.2 };
  });
  for (let step = 0; step < STEPS; step += atOnce) {
    const [now, next] = [step, step + atOnce].map((from) => requests.slice(from, from + atOnce));
    const { steps, failure } = await coordinator.steps(now, ahead ? next : undefined);
    if (failure) throw failure;
    for (const { loss, gradNorm, clipScale } of steps) outcomes.push(loss, gradNorm, clipScale);
  }
  await coordinator.snapshot();
  const now = STEPS % 2;
  const { ids, targets } = layout.evaluationRing[0];
  for (let i = 0; i < SIZES.streams * SIZES.times; i++) {
    views.ints[ids + i] = i % 13;
    views.ints[targets + i] = (i * i) % 13;
  }
  const evaluated = await coordinator.evaluateChunk(plan.evaluation, 0, 0, SIZES.times);
  return {
    outcomes,
    evaluated,
    parameters: words(layout.parameters[now], table.paddedLength),
    moments: layout.moments.map((moment) => words(moment[now], table.paddedLength)),
    carry: region(`carry ${now}`),
    snapshots: ['parameters', 'moments 0', 'moments 1', 'carry'].map((of) =>
      region(`snapshot ${of}`),
    ),
  };
}
