/**
 * The all-reduce: lane gradients summed into the gradient, block by block, with each block's sum of squares. A range of
 * blocks can be computed by any worker, any number of times, to the same bits.
 */
import type { Kernels } from '../kernels/contract.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import { BLOCK, type ParameterTable } from '../model/parameters.ts';
import { sumTree } from './tree.ts';

export class LaneReduction {
  readonly #table: ParameterTable;
  readonly #kernels: Kernels;
  readonly #layout: ArenaLayout;
  readonly #ints: Int32Array;
  readonly #doubles: Float64Array;

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
  }

  /** Sums blocks [first, first + count) with `scratch` for the tree's partial sums. */
  reduce(first: number, count: number, scratch: Offset): void {
    const { gradient, partials } = this.#layout;
    for (let block = first; block < first + count; block++) {
      const start = block * BLOCK;
      if (start < this.#table.embeddingPadded) this.#sumEmbedding(start, scratch);
      else this.#sumDense(start, scratch);
      this.#doubles[partials / 2 + block] = this.#kernels.sumOfSquares(gradient + start, BLOCK);
    }
  }

  #sumDense(start: number, scratch: Offset): void {
    const at = start - this.#table.embeddingPadded;
    this.#sum((lane) => this.#layout.lanes[lane].dense + at, start, BLOCK, scratch);
  }

  /** The block's piece of each embedding row is summed over the lanes in which the row's id occurs. */
  #sumEmbedding(start: number, scratch: Offset): void {
    const { embed, vocabulary } = this.#table.spec;
    const end = Math.min(start + BLOCK, vocabulary * embed);
    for (let at = start; at < end; ) {
      const id = Math.floor(at / embed);
      const column = at - id * embed;
      const length = Math.min(embed - column, end - at);
      this.#sum((lane) => this.#embeddingRow(lane, id, column), at, length, scratch);
      at += length;
    }
  }

  #embeddingRow(lane: number, id: number, column: number): Offset {
    const { rowOfId, embeddingRows } = this.#layout.lanes[lane];
    const row = this.#ints[rowOfId + id];
    return row < 0 ? 0 : embeddingRows + row * this.#table.spec.embed + column;
  }

  #sum(leafOf: (lane: number) => Offset, start: number, length: number, scratch: Offset): void {
    const kernels = this.#kernels;
    const { lanes, gradient } = this.#layout;
    const add = (left: Offset, right: Offset, out: Offset) => kernels.add(left, right, out, length);
    const sum = sumTree(0, lanes.length, leafOf, add, scratch, BLOCK);
    if (sum) kernels.copy(sum, gradient + start, length);
    else kernels.fill(gradient + start, length, 0);
  }
}
