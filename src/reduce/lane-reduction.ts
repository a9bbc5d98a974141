/**
 * The all-reduce: what the lanes give is summed into the gradient, with sums of squares in fixed pieces. Any part of the
 * work can be computed by any worker, any number of times, to the same bits.
 */
import type { Kernels } from '../kernels/contract.ts';
import { sumTree } from '../kernels/lane-tree.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import { BLOCK, type ParameterTable } from '../model/parameters.ts';
import { InputGradient } from './input-gradient.ts';
import { partOf } from './part.ts';

/** Words of the partial sums of squares: see `ArenaLayout.partials`. */
export function countPartials(table: ParameterTable): number {
  return inputRows(table) + denseBlocks(table);
}

export class LaneReduction {
  readonly #table: ParameterTable;
  readonly #kernels: Kernels;
  readonly #layout: ArenaLayout;
  readonly #doubles: Float64Array;
  readonly #input: InputGradient;
  /** Place of a whole subtree's gradient by its first lane. */
  readonly #subtrees: ReadonlyMap<number, { lanes: number; gradient: Offset }>;

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
    this.#doubles = doubles;
    this.#input = new InputGradient(table, kernels, layout, ints, doubles);
    this.#subtrees = new Map(layout.subtrees.map((subtree) => [subtree.firstLane, subtree]));
  }

  /** Part `part` of `parts`, in the workspace of the shard of that number. `parameters`: those of the generation. */
  reduce(part: number, parts: number, parameters: Offset): void {
    this.#input.reduce(part, parts, parameters);
    const { first, count } = partOf(denseBlocks(this.#table), part, parts);
    for (let block = first; block < first + count; block++) this.#sumBlock(block, part);
  }

  #sumBlock(block: number, shard: number): void {
    const kernels = this.#kernels;
    const { gradient, shards, lanes, partials } = this.#layout;
    const at = block * BLOCK;
    const leafOf = (first: number, count: number) => {
      const subtree = this.#subtrees.get(first);
      return subtree?.lanes === count ? subtree.gradient + at : undefined;
    };
    const add = (left: Offset, right: Offset, to: Offset) => kernels.add(left, right, to, BLOCK);
    const sum = sumTree(0, lanes.length, leafOf, add, shards[shard].tree, BLOCK);
    const out = gradient + this.#table.inputPadded + at;
    kernels.copy(sum, out, BLOCK);
    this.#doubles[partials / 2 + inputRows(this.#table) + block] = kernels.sumOfSquares(out, BLOCK);
  }
}

/** Rows of the embedding and of the first layer's input weights: each has a sum of squares of its own. */
function inputRows({ parameters }: ParameterTable): number {
  return parameters[0].shape[0] + parameters[1].shape[0];
}

function denseBlocks({ paddedLength, inputPadded }: ParameterTable): number {
  return (paddedLength - inputPadded) / BLOCK;
}
