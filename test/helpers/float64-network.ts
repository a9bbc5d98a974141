/** A network on reference kernels in float64, without threads: for numeric gradients and other exact checks. */
import { layoutArena } from '../../src/coordinator/layout.ts';
import { cut, planShards } from '../../src/coordinator/plan.ts';
import { createReferenceKernels } from '../../src/kernels/reference/kernels.ts';
import type { ArenaLayout } from '../../src/memory/layout.ts';
import type { LayerFlow } from '../../src/model/gradient-flow.ts';
import { Network } from '../../src/model/network.ts';
import { packAll } from '../../src/model/packing.ts';
import { ParameterTable } from '../../src/model/parameters.ts';
import type { ModelSpec } from '../../src/model/spec.ts';
import { headTimes } from '../../src/model/workspace.ts';
import { LaneReduction } from '../../src/reduce/lane-reduction.ts';

export interface NetworkSizes {
  streams: number;
  times: number;
  lanes: number;
  /** Time steps of a block of the loss head; all unless given. */
  headTimes?: number;
}

export class Float64Network {
  readonly table: ParameterTable;
  readonly layout: ArenaLayout;
  readonly reals: Float64Array;
  readonly ints: Int32Array;
  readonly #sizes: NetworkSizes;
  readonly #kernels;
  readonly #network: Network;
  readonly #reduction: LaneReduction;

  constructor(spec: ModelSpec, sizes: NetworkSizes) {
    const none = createReferenceKernels(new Float64Array(0), new Int32Array(0));
    const lanes = cut(sizes.streams, sizes.lanes);
    this.table = new ParameterTable(spec);
    this.#sizes = sizes;
    this.layout = layoutArena(
      {
        table: this.table,
        times: sizes.times,
        evaluation: cut(sizes.streams, 1),
        training: {
          streams: sizes.streams,
          lanes,
          shards: planShards(lanes, 1),
          headTimes: sizes.headTimes ?? headTimes(spec, sizes.streams, sizes.times),
          moments: 0,
        },
      },
      none,
    );
    this.reals = new Float64Array(this.layout.words);
    this.ints = new Int32Array(this.layout.words);
    this.#kernels = createReferenceKernels(this.reals, this.ints);
    const doubles = new Float64Array(this.layout.words);
    const { packed, shards } = this.layout;
    const views = { ints: this.ints, reals: this.reals };
    this.#network = new Network(this.table, this.#kernels, views, packed, shards[0]);
    this.#reduction = new LaneReduction(this.table, this.#kernels, this.layout, this.ints, doubles);
    for (const [p, { start, length }] of this.table.parameters.entries()) {
      for (let e = 0; e < length; e++) {
        this.reals[this.layout.parameters[0] + start + e] = 0.4 * Math.sin(1.7 * (p + 1) + 0.9 * e);
      }
    }
  }

  /** Ids and targets (T, N) of the chunk, by a function of stream and time. */
  setTokens(token: (stream: number, time: number) => number): void {
    const { streams, times } = this.#sizes;
    const [slot] = this.layout.ring;
    for (let t = 0; t < times; t++) {
      for (let b = 0; b < streams; b++) {
        this.ints[slot.ids + t * streams + b] = token(b, t);
        this.ints[slot.targets + t * streams + b] = token(b, t + 1);
      }
    }
  }

  /** Forward and backward; returns the summed loss. `carryIn` as in StreamRange. */
  train(carryIn = 0): number {
    const { streams } = this.#sizes;
    this.#pack();
    const [regions] = this.layout.subtrees;
    const lanes = cut(streams, this.#sizes.lanes).map(({ first, count }, i) => {
      this.ints[regions.laneRows + i] = count;
      return { firstRow: first, rows: count, regions: this.layout.lanes[i] };
    });
    const range = { streams, firstStream: 0, carryIn, carryOut: this.layout.carries[1] };
    const key = { seed: 5, step: 3, firstStream: 0 };
    this.#network.train(this.#chunk(), this.layout.ring[0], range, [{ lanes, regions }], key);
    return this.losses().reduce((sum, loss) => sum + loss, 0);
  }

  /** The gradient of the summed loss, padded as the parameter vector. */
  gradient(): Float64Array {
    const { gradient } = this.layout;
    this.#reduction.reduce(0, 1, 0);
    return this.reals.slice(gradient, gradient + this.table.paddedLength);
  }

  /** Forward without dropout; returns the losses (T, N). */
  evaluate(carryIn = 0): Float64Array {
    const { streams } = this.#sizes;
    this.#pack();
    const range = { streams, firstStream: 0, carryIn, carryOut: this.layout.carries[1] };
    this.#network.evaluate(this.#chunk(), this.layout.ring[0], range);
    return this.losses();
  }

  /** How gradients flow back through the first `rows` streams. */
  flow(rows: number, carryIn = 0): LayerFlow[] {
    this.#pack();
    const range = { streams: this.#sizes.streams, firstStream: 0, carryIn };
    return this.#network.flow({ ...this.#chunk(), rows }, this.layout.ring[0], range);
  }

  /** Makes the states of the last chunk those that the next one starts from. */
  carryOver(): number {
    const [from, to] = [this.layout.carries[1], this.layout.carries[0]];
    this.reals.copyWithin(to, from, from + this.carryLength);
    return to;
  }

  get carryLength(): number {
    return this.layout.regions.find(({ name }) => name === 'carry 0')?.length ?? 0;
  }

  losses(): Float64Array {
    const { losses } = this.layout.shards[0];
    return this.reals.slice(losses, losses + this.#sizes.streams * this.#sizes.times);
  }

  #chunk() {
    const { streams, times } = this.#sizes;
    return {
      parameters: this.layout.parameters[0],
      times,
      rows: streams,
      headTimes: this.#sizes.headTimes ?? headTimes(this.table.spec, streams, times),
    };
  }

  #pack(): void {
    const { parameters, packed } = this.layout;
    packAll(this.#kernels, this.table, parameters[0], packed);
  }
}
