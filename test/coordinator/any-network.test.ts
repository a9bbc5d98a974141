/**
 * Networks of any shape: every backend gives the reference's losses and gradients, and the same bits on one worker and on several.
 * The shapes are the same in every run of the suite. More of them: NETWORKS=200 SEED=7 npx ava dist/test/coordinator/any-network.test.js
 */
import test from 'ava';
import fc from 'fast-check';
import { parametersSha256 } from '../../src/checkpoint/parameters-hash.ts';
import type { ModelSpec } from '../../src/model/spec.ts';
import {
  ADAM,
  fillSlot,
  gradientsOf,
  startTestEngine,
  type TestBackend,
  type TestEngine,
} from '../helpers/engine.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';

const { NETWORKS = '12', SEED = '1' } = process.env;
const STEPS = 3;
/** The first step with carried states that are not zero. */
const COMPARED = 1;

interface Trial {
  spec: ModelSpec;
  streams: number;
  times: number;
  lanes: number;
  workers: number;
  /** Ids that occur, the first ones of the vocabulary. */
  ids: number;
  tokenSeed: number;
}

const whole = (min: number, max: number) => fc.integer({ min, max });

/** No ReLU: at its kink, where two backends may fall on either side, gradients differ by more than rounding. */
const spec: fc.Arbitrary<ModelSpec> = fc.record({
  cell: fc.constantFrom('lstm' as const, 'gru' as const, 'rnn' as const),
  activation: fc.constant('tanh' as const),
  vocabulary: fc.oneof(whole(2, 40), whole(41, 700)),
  embed: whole(1, 80),
  hidden: fc.oneof(whole(1, 40), whole(41, 150)),
  layers: whole(1, 3),
  dropout: fc.constantFrom(0, 0.3),
});

const trial: fc.Arbitrary<Trial> = fc
  .tuple(spec, whole(1, 18), whole(1, 10), whole(1, 16), whole(2, 6), whole(1, 700), whole(0, 1e6))
  .map(([spec, streams, times, lanes, workers, ids, tokenSeed]) => ({
    spec,
    streams,
    times,
    lanes: Math.min(lanes, streams),
    workers: Math.min(workers, lanes, streams),
    ids: Math.min(ids, spec.vocabulary),
    tokenSeed,
  }));

interface Trained {
  /** Of the step that is compared. */
  loss: number;
  gradients: Map<string, Float32Array>;
  /** After the last step. */
  parameters: string;
  /** Of each stream in two chunks, the second from the states that the first leaves, before the first step. */
  evaluated: number[];
}

async function train(trial: Trial, backend: TestBackend, workers: number): Promise<Trained> {
  const tested = await startTestEngine({ ...trial, workers, backend, optimizer: ADAM });
  const { coordinator, pool } = tested.engine;
  try {
    await coordinator.initialize();
    await coordinator.packWeights();
    const evaluated = await evaluate(tested, trial);
    let compared: Pick<Trained, 'loss' | 'gradients'> | undefined;
    for (let step = 0; step < STEPS; step++) {
      fillSlot(tested, 0, tokensOf(trial, step));
      // Nothing is learned before the step that is compared, whose parameters would differ by rounding.
      const learningRate = step < COMPARED ? 0 : 0.01;
      const how = { slot: 0, fromZero: step === 0, learningRate, clipNorm: 0.5 };
      const { loss } = await coordinator.step(how);
      if (step === COMPARED) compared = { loss, gradients: gradientsOf(tested) };
    }
    const parameters = parametersSha256(tested.plan.table, coordinator.parameters);
    return { ...compared!, parameters, evaluated };
  } finally {
    await pool.close();
  }
}

async function evaluate(tested: TestEngine, trial: Trial): Promise<number[]> {
  const { plan, engine } = tested;
  const losses: number[] = [];
  for (const chunk of [0, 1]) {
    fillSlot(tested, 0, tokensOf(trial, chunk), 'evaluationRing');
    const { evaluation } = plan;
    losses.push(...(await engine.coordinator.evaluateChunk(evaluation, 0, chunk, trial.times)));
  }
  return losses;
}

/** Some ids are frequent, most are rare. */
function tokensOf({ ids, tokenSeed }: Trial, chunk: number) {
  return (stream: number, time: number) => {
    const random = Math.abs(Math.sin(tokenSeed + 97 * stream + 7919 * (time + 31 * chunk)));
    return Math.floor(ids * random ** 3);
  };
}

function greatest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

async function holdsOn(backend: TestBackend, trial: Trial, wanted: Trained): Promise<void> {
  const got = await train(trial, backend, 1);
  const shared = await train(trial, backend, trial.workers);
  if (shared.parameters !== got.parameters) throw new Error(`${backend}: not the same bits`);
  if (shared.evaluated.some((loss, i) => loss !== got.evaluated[i])) {
    throw new Error(`${backend}: not the same bits of an evaluation`);
  }
  for (const [i, want] of [wanted.loss, ...wanted.evaluated].entries()) {
    const error = Math.abs([got.loss, ...got.evaluated][i] - want);
    if (!(error <= 1e-5 * want)) throw new Error(`${backend}: loss ${i} off by ${error}`);
  }
  const all = Math.max(...[...wanted.gradients.values()].map(greatest));
  for (const [name, want] of wanted.gradients) {
    const error = greatest(want.map((x, i) => x - got.gradients.get(name)![i]));
    const bound = 1e-5 * greatest(want) + 1e-6 * all;
    if (!(error <= bound)) throw new Error(`${backend}: ${name} off by ${error}, over ${bound}`);
  }
}

test("any network: every backend gives the reference's gradients, and the same bits on any workers", async (t) => {
  const holds = async (trial: Trial) => {
    const wanted = await train(trial, 'reference', 1);
    for (const backend of [...NATIVE_VARIANTS, 'wasm'] as const) {
      await holdsOn(backend, trial, wanted);
    }
  };
  const options = { numRuns: Number(NETWORKS), seed: Number(SEED), includeErrorInReport: true };
  await t.notThrowsAsync(fc.assert(fc.asyncProperty(trial, holds), options));
});
