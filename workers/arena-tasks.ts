/** The tasks that read and write the arena, as a compute thread performs them; src/pool/compute-protocol.ts says what each is. */
import type { Kernels } from '../src/kernels/contract.ts';
import { type ArenaViews, viewArena } from '../src/memory/arena.ts';
import type { ArenaLayout } from '../src/memory/layout.ts';
import { drawTokens } from '../src/model/drawing.ts';
import type { LayerFlow } from '../src/model/gradient-flow.ts';
import { initialBlocks, initializeBlock } from '../src/model/init.ts';
import type { Subtree } from '../src/model/layers/context.ts';
import { Network } from '../src/model/network.ts';
import { type Piece, packPiece, parameterPieces } from '../src/model/packing.ts';
import { type ParameterSquares, squaresOf } from '../src/model/parameter-squares.ts';
import { BLOCK, ParameterTable } from '../src/model/parameters.ts';
import type { ModelSpec } from '../src/model/spec.ts';
import { type UpdateRange, updateRange } from '../src/optimizer/update.ts';
import type {
  ComputeThreadData,
  ComputeTraining,
  EvaluateTask,
  FlowTask,
  ReduceTask,
  SampleTask,
  SnapshotTask,
  SpanTask,
  TrainTask,
  UpdateTask,
} from '../src/pool/compute-protocol.ts';
import { LaneReduction } from '../src/reduce/lane-reduction.ts';
import { StepSums } from '../src/reduce/step-sums.ts';

export class ArenaTasks {
  readonly #layout: ArenaLayout;
  readonly #spec: ModelSpec;
  readonly #training: ComputeTraining | undefined;
  readonly #kernels: Kernels;
  readonly #views: ArenaViews;
  readonly #table: ParameterTable;
  readonly #pieces: readonly Piece[];
  /** Of each piece, by the generation modulo 2 that is updated. */
  readonly #updateRanges: readonly (readonly UpdateRange[])[];
  readonly #reduction: LaneReduction;
  readonly #sums: StepSums;
  /** One a shard. */
  readonly #networks: readonly Network[];
  readonly #subtrees: readonly (readonly Subtree[])[];

  constructor({ memory, layout, spec, training }: ComputeThreadData, kernels: Kernels) {
    const views = viewArena(memory);
    const table = new ParameterTable(spec);
    this.#layout = layout;
    this.#spec = spec;
    this.#training = training;
    this.#kernels = kernels;
    this.#views = views;
    this.#table = table;
    this.#pieces = parameterPieces(table, layout.packed, kernels);
    this.#updateRanges = training
      ? [0, 1].map((now) => this.#pieces.map((piece) => updateRangeOf(layout, piece, now)))
      : [];
    this.#reduction = new LaneReduction(table, kernels, layout, views.ints, views.doubles);
    this.#sums = new StepSums(table, layout, views.doubles);
    this.#networks = layout.shards.map(
      (shard) => new Network(table, kernels, views, layout.packed, shard),
    );
    this.#subtrees = layout.shards.map((_, shard) => subtreesOf(shard, layout, training));
  }

  train({ shard, generation, slot, times, headTimes, fromZero }: TrainTask): void {
    const layout = this.#layout;
    const { streams, shards, init } = this.#training!;
    const { firstStream, streams: rows, firstLane } = shards[shard];
    const subtrees = this.#subtrees[shard];
    this.#networks[shard].train(
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
    const lanes = subtrees.flatMap(({ lanes }) => lanes);
    for (const [i, lane] of lanes.entries()) {
      const loss = this.#sumLosses(shard, times, rows, lane.firstRow, lane.rows);
      this.#sums.setLoss(generation, firstLane + i, loss);
    }
  }

  /** Losses of the streams. */
  evaluate(task: EvaluateTask): number[] {
    const layout = this.#layout;
    const { shard, generation, slot, chunk, times, headTimes, streams, firstStream, rows } = task;
    this.#networks[shard].evaluate(
      { parameters: layout.parameters[generation % 2], times, rows, headTimes },
      layout.evaluationRing[slot],
      {
        streams,
        firstStream,
        carryIn: chunk === 0 ? 0 : layout.evaluationCarries[chunk % 2],
        carryOut: layout.evaluationCarries[(chunk + 1) % 2],
      },
    );
    return Array.from({ length: rows }, (_, row) => this.#sumLosses(shard, times, rows, row, 1));
  }

  reduce({ shard, parts, generation }: ReduceTask): void {
    this.#reduction.reduce(shard, parts, generation);
  }

  /** Whether the step is finite; else nothing is written. */
  update({ first, count, generation, tokens, clipNorm, learningRate }: UpdateTask): boolean {
    const { clipScale, finite } = this.#sums.summarize(generation, tokens, clipNorm);
    if (!finite) return false;
    const gradientScale = clipScale / tokens;
    const factors = { gradientScale, learningRate, updates: generation + 1 };
    const ranges = this.#updateRanges[generation % 2];
    for (let i = first; i < first + count; i++) {
      updateRange(this.#kernels, this.#training!.optimizer, factors, ranges[i]);
      this.#pack(i, generation + 1);
    }
    return true;
  }

  pack({ first, count, generation }: SpanTask): void {
    for (let i = first; i < first + count; i++) this.#pack(i, generation);
  }

  /** Tokens drawn, in the workspace of the first shard, which is free between steps. */
  sample({ first, length, generation }: SampleTask): number[] {
    const layout = this.#layout;
    const parameters = layout.parameters[generation % 2];
    const { seed } = this.#training!.init;
    return drawTokens(
      this.#networks[0],
      layout.shards[0],
      layout.sample,
      this.#views,
      this.#spec.vocabulary,
      { parameters, first, length, seed, step: generation },
    );
  }

  snapshot({ first, count, carries, generation }: SnapshotTask): void {
    const { parameters, moments, carries: states, snapshot, regions } = this.#layout;
    const now = generation % 2;
    const start = first * BLOCK;
    const words = count * BLOCK;
    this.#kernels.copy(parameters[now] + start, snapshot.parameters + start, words);
    for (const [i, moment] of moments.entries()) {
      this.#kernels.copy(moment[now] + start, snapshot.moments[i] + start, words);
    }
    if (!carries) return;
    const { length } = regions.find(({ name }) => name === 'snapshot carry')!;
    this.#kernels.copy(states[now], snapshot.carries, length);
  }

  initialize({ first, count, generation }: SpanTask): void {
    const parameters = this.#layout.parameters[generation % 2];
    for (const block of initialBlocks(this.#table).slice(first, first + count)) {
      const start = parameters + block.start;
      const values = this.#views.reals.subarray(start, start + block.length);
      initializeBlock(block, this.#spec, this.#training!.init, values);
    }
  }

  flow({ generation, slot, times, fromZero }: FlowTask): LayerFlow[] {
    const layout = this.#layout;
    const { streams, lanes } = this.#training!;
    const [{ firstStream, streams: rows }] = lanes;
    const parameters = layout.parameters[generation % 2];
    const carryIn = fromZero ? 0 : layout.carries[(generation - 1) % 2];
    const chunk = { parameters, times, rows, headTimes: 1 };
    return this.#networks[0].flow(chunk, layout.ring[slot], { streams, firstStream, carryIn });
  }

  squares({ first, count, generation }: SpanTask): ParameterSquares[] {
    const { gradient, parameters } = this.#layout;
    const places = {
      gradient,
      before: parameters[(generation - 1) % 2],
      after: parameters[generation % 2],
    };
    return this.#table.parameters
      .slice(first, first + count)
      .map((parameter) => squaresOf(this.#kernels, this.#views.reals, parameter, places));
  }

  #pack(piece: number, generation: number): void {
    const { parameters, packed } = this.#layout;
    packPiece(this.#kernels, this.#table, parameters[generation % 2], packed, this.#pieces[piece]);
  }

  /** Sum of the losses of some rows of the shard, in float64, in order of time, then row. */
  #sumLosses(shard: number, times: number, rows: number, first: number, count: number): number {
    const { reals } = this.#views;
    const { losses } = this.#layout.shards[shard];
    let sum = 0;
    for (let t = 0; t < times; t++) {
      for (let r = first; r < first + count; r++) sum += reals[losses + t * rows + r];
    }
    return sum;
  }
}

/** Of a piece, from the generation in the regions `now` into the other ones. */
function updateRangeOf(layout: ArenaLayout, { start, length }: Piece, now: number): UpdateRange {
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

function subtreesOf(shard: number, layout: ArenaLayout, training?: ComputeTraining): Subtree[] {
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
