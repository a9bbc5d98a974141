/** A real engine (threads and all) on chunks that the test writes itself. */
import {
  type Engine,
  type EnginePlan,
  planEngine,
  startEngine,
} from '../../src/coordinator/engine.ts';
import {
  type BackendRequest,
  chooseKernels,
  type KernelChoice,
} from '../../src/kernels/backend.ts';
import type { NativeVariant } from '../../src/kernels/native.ts';
import type { CellName, ModelSpec } from '../../src/model/spec.ts';
import type { OptimizerSettings } from '../../src/optimizer/update.ts';
import type { PoolOptions } from '../../src/pool/crew.ts';

/** A network that trains in a moment, of odd sizes. */
export function smallSpec(cell: CellName): ModelSpec {
  return {
    cell,
    activation: 'tanh',
    vocabulary: 23,
    embed: 6,
    hidden: 10,
    layers: 2,
    dropout: 0.3,
  };
}

export const ADAM = {
  optimizer: 'adam',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipValue: 0,
} as const;

export type TestBackend = BackendRequest | NativeVariant;

export interface TestEngineOptions {
  spec: ModelSpec;
  streams: number;
  times: number;
  lanes: number;
  workers: number;
  /** One of the native ones by its path too. */
  backend: TestBackend;
  optimizer: OptimizerSettings;
}

export interface TestEngine {
  plan: EnginePlan;
  engine: Engine;
}

export async function startTestEngine(
  options: TestEngineOptions,
  pool?: PoolOptions,
): Promise<TestEngine> {
  const { spec, streams, times, lanes, workers, backend, optimizer } = options;
  const plan = planEngine(
    {
      spec,
      times,
      workers,
      kernels: kernelsOf(backend),
      evaluationStreams: streams,
      training: { streams, lanes, optimizer, init: { init: 'orthogonal', seed: 1 } },
    },
    2 ** 31,
  );
  return { plan, engine: await startEngine(plan, pool) };
}

function kernelsOf(backend: TestBackend): KernelChoice {
  return backend === 'native-avx512' || backend === 'native-avx2'
    ? { backend: 'native', variant: backend }
    : chooseKernels(backend);
}

/** Fills parameter p, element e with 0.4 sin(1.7 (p + 1) + 0.9 e), as scripts/pytorch-curves.py does. */
export function fillParameters({ plan, engine }: TestEngine): void {
  const { parameters } = engine.coordinator;
  for (const [p, { start, length }] of plan.table.parameters.entries()) {
    for (let e = 0; e < length; e++)
      parameters[start + e] = 0.4 * Math.sin(1.7 * (p + 1) + 0.9 * e);
  }
}

/** Writes ids and targets (T, N) to a slot of the ring, or of that of the evaluation, which has as many streams. */
export function fillSlot(
  { plan, engine }: TestEngine,
  slot: number,
  token: (stream: number, time: number) => number,
  ring: 'ring' | 'evaluationRing' = 'ring',
): void {
  const { ids, targets } = plan.layout[ring][slot];
  const { training, times } = plan.request;
  const streams = training?.streams ?? 0;
  for (let t = 0; t < times; t++) {
    for (let b = 0; b < streams; b++) {
      engine.views.ints[ids + t * streams + b] = token(b, t);
      engine.views.ints[targets + t * streams + b] = token(b, t + 1);
    }
  }
}

/** What the step before gave for each parameter, before clipping. */
export function gradientsOf({ plan, engine }: TestEngine): Map<string, Float32Array> {
  const { gradient } = plan.layout;
  return new Map(
    plan.table.parameters.map(({ name, start, length }) => {
      const first = gradient + start;
      return [name, engine.views.reals.slice(first, first + length)];
    }),
  );
}
