/** Entry of a compute thread: runs tasks on the arena, replies to each with what it measured. */
import { workerData } from 'piscina';
import { toErrorRecord } from '../src/errors.ts';
import { createKernels } from '../src/kernels/backend.ts';
import { viewArena } from '../src/memory/arena.ts';
import { drawTokens } from '../src/model/drawing.ts';
import type { LayerFlow } from '../src/model/gradient-flow.ts';
import { initialBlocks, initializeBlock } from '../src/model/init.ts';
import type { Subtree } from '../src/model/layers/context.ts';
import { Network } from '../src/model/network.ts';
import { type Piece, packPiece, parameterPieces } from '../src/model/packing.ts';
import { type ParameterSquares, squaresOf } from '../src/model/parameter-squares.ts';
import { BLOCK, ParameterTable } from '../src/model/parameters.ts';
import { type UpdateRange, updateRange } from '../src/optimizer/update.ts';
import { monotonicSeconds } from '../src/pool/clock.ts';
import type {
  ComputeReply,
  ComputeResult,
  ComputeTask,
  ComputeThreadData,
  EvaluateTask,
  FlowTask,
  SampleTask,
  TrainTask,
  UpdateTask,
} from '../src/pool/protocol.ts';
import { serveTasks, type ThreadEnd } from '../src/pool/task-channel.ts';
import { LaneReduction } from '../src/reduce/lane-reduction.ts';
import { copyRate, multiplyAddRate } from './rates.ts';

const { memory, layout, spec, kernels: choice, training } = workerData as ComputeThreadData;
const { reals, ints, doubles } = viewArena(memory);
const kernels = createKernels(choice, memory);
const table = new ParameterTable(spec);
const pieces = parameterPieces(table, layout.packed, kernels);
const updateRanges = training
  ? [0, 1].map((now) => pieces.map((piece) => updateRangeOf(piece, now)))
  : [];
const reduction = new LaneReduction(table, kernels, layout, ints, doubles);
const networks = layout.shards.map(
  (shard) => new Network(table, kernels, { ints, reals }, layout.packed, shard),
);
const subtreesOfShards = layout.shards.map((_, shard) => subtreesOf(shard));

export default function serve(end: ThreadEnd): never {
  return serveTasks(end, run);
}

function run(task: ComputeTask): ComputeReply {
  const startedSeconds = monotonicSeconds();
  try {
    const figures = perform(task);
    return { startedSeconds, seconds: monotonicSeconds() - startedSeconds, ...figures };
  } catch (error) {
    return { error: toErrorRecord(error) };
  }
}

type Figures = Omit<ComputeResult, 'startedSeconds' | 'seconds'>;

function perform(task: ComputeTask): Figures | undefined {
  switch (task.kind) {
    case 'train':
      return { losses: train(task) };
    case 'evaluate':
      return { losses: evaluate(task) };
    case 'reduce':
      reduction.reduce(task.shard, task.parts, layout.parameters[task.generation % 2]);
      return;
    case 'update':
      update(task);
      return;
    case 'pack':
      pack(task.first, task.count, task.generation);
      return;
    case 'sample':
      return { ids: sample(task) };
    case 'snapshot':
      snapshot(task.first, task.count, task.carries, task.generation);
      return;
    case 'initialize':
      initialize(task.first, task.count, task.generation);
      return;
    case 'flow':
      return { flow: flow(task) };
    case 'squares':
      return { squares: squares(task.first, task.count, task.generation) };
    case 'measure':
      return {
        rate:
          task.what === 'copy' ? copyRate(task.seconds) : multiplyAddRate(kernels, task.seconds),
      };
    case 'ping':
  }
}

function train({ shard, generation, slot, times, headTimes, fromZero }: TrainTask): number[] {
  const { streams, shards, init } = training!;
  const { firstStream, streams: rows } = shards[shard];
  const subtrees = subtreesOfShards[shard];
  networks[shard].train(
    { parameters: layout.parameters[generation % 2], times, rows, headTimes },
    layout.ring[slot],
    {
      streams,
      firstStream,
      carryIn: fromZero ? 0 : layout.carries[generation % 2],
      carryOut: layout.carries[(generation + 1) % 2],
    },
    subtrees,
    { seed: init.seed, step: generation, firstStream },
  );
  return subtrees.flatMap(({ lanes }) =>
    lanes.map((lane) => sumLosses(shard, times, rows, lane.firstRow, lane.rows)),
  );
}

function evaluate(task: EvaluateTask): number[] {
  const { shard, generation, slot, chunk, times, headTimes, streams, firstStream, rows } = task;
  networks[shard].evaluate(
    { parameters: layout.parameters[generation % 2], times, rows, headTimes },
    layout.evaluationRing[slot],
    {
      streams,
      firstStream,
      carryIn: chunk === 0 ? 0 : layout.evaluationCarries[chunk % 2],
      carryOut: layout.evaluationCarries[(chunk + 1) % 2],
    },
  );
  return Array.from({ length: rows }, (_, row) => sumLosses(shard, times, rows, row, 1));
}

/** Sum of the losses of some rows of the shard, in float64, in order of time, then row. */
function sumLosses(
  shard: number,
  times: number,
  rows: number,
  first: number,
  count: number,
): number {
  const { losses } = layout.shards[shard];
  let sum = 0;
  for (let t = 0; t < times; t++) {
    for (let r = first; r < first + count; r++) sum += reals[losses + t * rows + r];
  }
  return sum;
}

function update({ first, count, generation, factors }: UpdateTask): void {
  const ranges = updateRanges[generation % 2];
  const next = layout.parameters[(generation + 1) % 2];
  for (let i = first; i < first + count; i++) {
    updateRange(kernels, training!.optimizer, factors, ranges[i]);
    packPiece(kernels, table, next, layout.packed, pieces[i]);
  }
}

/** Of a piece, from the generation in the regions `now` into the other ones. */
function updateRangeOf({ start, length }: Piece, now: number): UpdateRange {
  const next = 1 - now;
  return {
    parameters: layout.parameters[now] + start,
    parametersNext: layout.parameters[next] + start,
    moments: layout.moments.map((moment) => moment[now] + start),
    momentsNext: layout.moments.map((moment) => moment[next] + start),
    gradient: layout.gradient + start,
    length,
  };
}

/** In the workspace of the first shard, which is free between steps. */
function sample({ first, length, generation }: SampleTask): number[] {
  const parameters = layout.parameters[generation % 2];
  const request = { parameters, first, length, seed: training!.init.seed, step: generation };
  const [network] = networks;
  return drawTokens(
    network,
    layout.shards[0],
    layout.sample,
    { reals, ints },
    spec.vocabulary,
    request,
  );
}

function pack(first: number, count: number, generation: number): void {
  const parameters = layout.parameters[generation % 2];
  for (let i = first; i < first + count; i++) {
    packPiece(kernels, table, parameters, layout.packed, pieces[i]);
  }
}

function snapshot(first: number, count: number, carries: boolean, generation: number): void {
  const now = generation % 2;
  const start = first * BLOCK;
  const words = count * BLOCK;
  kernels.copy(layout.parameters[now] + start, layout.snapshot.parameters + start, words);
  for (const [i, moment] of layout.moments.entries()) {
    kernels.copy(moment[now] + start, layout.snapshot.moments[i] + start, words);
  }
  if (carries) kernels.copy(layout.carries[now], layout.snapshot.carries, carryWords());
}

function carryWords(): number {
  return layout.regions.find(({ name }) => name === 'snapshot carry')!.length;
}

function flow({ generation, slot, times, fromZero }: FlowTask): LayerFlow[] {
  const { streams, lanes } = training!;
  const [{ firstStream, streams: rows }] = lanes;
  const parameters = layout.parameters[generation % 2];
  const carryIn = fromZero ? 0 : layout.carries[(generation - 1) % 2];
  const chunk = { parameters, times, rows, headTimes: 1 };
  return networks[0].flow(chunk, layout.ring[slot], { streams, firstStream, carryIn });
}

function squares(first: number, count: number, generation: number): ParameterSquares[] {
  const places = {
    gradient: layout.gradient,
    before: layout.parameters[(generation - 1) % 2],
    after: layout.parameters[generation % 2],
  };
  return table.parameters
    .slice(first, first + count)
    .map((parameter) => squaresOf(kernels, reals, parameter, places));
}

function initialize(first: number, count: number, generation: number): void {
  const parameters = layout.parameters[generation % 2];
  for (const block of initialBlocks(table).slice(first, first + count)) {
    const start = parameters + block.start;
    const values = reals.subarray(start, start + block.length);
    initializeBlock(block, spec, training!.init, values);
  }
}

function subtreesOf(shard: number): Subtree[] {
  const plan = training?.shards[shard];
  if (!plan) return [];
  const laneOf = (lane: number) => ({
    firstRow: training.lanes[lane].firstStream - plan.firstStream,
    rows: training.lanes[lane].streams,
    regions: layout.lanes[lane],
  });
  return layout.subtrees
    .filter(
      ({ firstLane }) => firstLane >= plan.firstLane && firstLane < plan.firstLane + plan.lanes,
    )
    .map((regions) => ({
      regions,
      lanes: Array.from({ length: regions.lanes }, (_, i) => laneOf(regions.firstLane + i)),
    }));
}
