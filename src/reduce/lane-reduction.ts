/**
 * The all-reduce: what the lanes give is summed into the gradient, with sums of squares in fixed pieces. Any part of the
 * work can be computed by any worker, any number of times, to the same bits.
 */
import type { Kernels } from '../kernels/contract.ts';
import type { ArenaLayout, ShardRegions } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import { BLOCK, type ParameterTable } from '../model/parameters.ts';
import { countInputPartials, InputGradient } from './input-gradient.ts';
import { partOf } from './part.ts';

/** Numbers of the partial sums of squares: see `ArenaLayout.partials`. */
export function countPartials(table: ParameterTable): number {
  return countInputPartials(table) + denseBlocks(table);
}

export class LaneReduction {
  readonly #table: ParameterTable;
  readonly #kernels: Kernels;
  readonly #layout: ArenaLayout;
  readonly #ints: Int32Array;
  readonly #doubles: Float64Array;
  readonly #input: InputGradient;

  constructor(
    table: ParameterTable,
    kernels: Kernels,
    layout: ArenaLayout,
    ints: Int32Array,
    doubles: Float64Array,
  ) {
    this.#table = table;
    this.#kernels = kernels;
    this.#layout = layout;
    this.#ints = ints;
    this.#doubles = doubles;
    this.#input = new InputGradient(table, kernels, layout, ints, doubles);
  }

  /** Part `part` of `parts`, in the workspace of the shard of that number. */
  reduce(part: number, parts: number, generation: number): void {
    this.#input.reduce(part, parts, generation);
    const { first, count } = partOf(denseBlocks(this.#table), part, parts);
    for (let block = first; block < first + count; block += BLOCKS_TOGETHER) {
      const together = Math.min(BLOCKS_TOGETHER, first + count - block);
      this.#sumBlocks(block, together, this.#layout.shards[part], generation);
    }
  }

  #sumBlocks(first: number, count: number, shard: ShardRegions, generation: number): void {
    const { gradient, lanes, partials } = this.#layout;
    const out = gradient + this.#table.inputPadded + first * BLOCK;
    this.#placeSubtrees(first * BLOCK, shard.lanePlaces);
    this.#kernels.sumLanes(0, shard.lanePlaces, lanes.length, count * BLOCK, out, shard.tree);
    const partial =
      partials[generation % partials.length] / 2 + countInputPartials(this.#table) + first;
    for (let i = 0; i < count; i++) {
      this.#doubles[partial + i] = this.#kernels.sumOfSquares(out + i * BLOCK, BLOCK);
    }
  }

  /** A subtree's sum stands for its first lane; its other lanes have nothing to add to it. */
  #placeSubtrees(at: number, places: Offset): void {
    const { lanes, subtrees } = this.#layout;
    this.#ints.fill(0, places, places + lanes.length);
    for (const { firstLane, gradient } of subtrees) this.#ints[places + firstLane] = gradient + at;
  }
}

/** Blocks that are summed at once: 64 KiB, which their sums of squares find in the cache. */
const BLOCKS_TOGETHER = 16;

function denseBlocks({ paddedLength, inputPadded }: ParameterTable): number {
  return (paddedLength - inputPadded) / BLOCK;
}
