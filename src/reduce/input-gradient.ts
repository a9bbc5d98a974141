/**
 * The gradients of the embedding and of the first layer's input weights Wᵢₕ. With D (U, G·H) the gate gradients of the
 * first layer summed by id over all lanes, U the ids that occur, and X (U, E) their embedding rows:
 * dX = D · Wᵢₕ and dWᵢₕ = Dᵀ · X. So the products are computed once a step, not once a lane or token.
 *
 * A part takes some rows of each product and sums what it needs of D itself, so that no part waits for another.
 */
import type { Kernels } from '../kernels/contract.ts';
import { START } from '../kernels/contract.ts';
import type { ArenaLayout, ShardRegions } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import { type Parameter, type ParameterTable, WEIGHT_ROWS } from '../model/parameters.ts';
import { partOf, type Span } from './part.ts';

export class InputGradient {
  readonly #kernels: Kernels;
  readonly #layout: ArenaLayout;
  readonly #ints: Int32Array;
  readonly #doubles: Float64Array;
  /** (V, E) */
  readonly #embedding: Parameter;
  /** (G·H, E) */
  readonly #weight: Parameter;

  constructor(
    { parameters }: ParameterTable,
    kernels: Kernels,
    layout: ArenaLayout,
    ints: Int32Array,
    doubles: Float64Array,
  ) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#ints = ints;
    this.#doubles = doubles;
    [this.#embedding, this.#weight] = parameters;
  }

  /** Part `part` of `parts`, in the workspace of the shard of that number. */
  reduce(part: number, parts: number, generation: number): void {
    const shard = this.#layout.shards[part];
    const ids = this.#listIds(shard);
    this.#reduceWeight(shard, ids, this.#weightRows(part, parts), generation);
    this.#reduceEmbedding(shard, ids, { part, parts }, generation);
  }

  /** The part's rows of the input weights: whole groups. */
  #weightRows(part: number, parts: number): Span {
    const groups = partOf(Math.ceil(this.#width / WEIGHT_ROWS), part, parts);
    const first = groups.first * WEIGHT_ROWS;
    return { first, count: Math.min(groups.count * WEIGHT_ROWS, this.#width - first) };
  }

  /** G·H */
  get #width(): number {
    return this.#weight.shape[0];
  }

  /** E */
  get #embed(): number {
    return this.#weight.shape[1];
  }

  /** Lists the ids that occur in any lane, in ascending order; returns their number. */
  #listIds(shard: ShardRegions): number {
    const ints = this.#ints;
    let count = 0;
    for (let id = 0; id < this.#embedding.shape[0]; id++) {
      if (this.#occurs(id)) ints[shard.distinct + count++] = id;
    }
    ints[shard.distinctCount] = count;
    return count;
  }

  /** Whether a lane has the id. A closure for each id would be most of the garbage of a step. */
  #occurs(id: number): boolean {
    const { lanes } = this.#layout;
    for (let lane = 0; lane < lanes.length; lane++) {
      if (this.#ints[lanes[lane].rowOfId + id] >= 0) return true;
    }
    return false;
  }

  /** Rows [first, first + count) of dWᵢₕ, which are columns of D. */
  #reduceWeight(shard: ShardRegions, ids: number, columns: Span, generation: number): void {
    if (columns.count === 0) return;
    const embed = this.#embed;
    this.#sumOverLanes(shard, { first: 0, count: ids }, columns);
    this.#kernels.gatherRows(
      this.#layout.parameters[generation % 2] + this.#embedding.start,
      embed,
      shard.distinct,
      ids,
      embed,
      shard.embedded,
      embed,
    );
    const out = this.#layout.gradient + this.#weight.start + columns.first * embed;
    this.#kernels.multiplyTransposed(
      shard.projected,
      columns.count,
      0,
      shard.embedded,
      embed,
      0,
      1,
      shard.distinctCount,
      1,
      out,
      embed,
      columns.count,
      embed,
      0,
      shard.scratch,
    );
    const partial = this.#embedding.shape[0] + columns.first / WEIGHT_ROWS;
    const partials = this.#partials(generation);
    this.#sumSquares(out, columns.count, WEIGHT_ROWS, partials + partial);
  }

  /** The embedding's rows from the part's first id to the next part's; those of ids that do not occur are zero. */
  #reduceEmbedding(
    shard: ShardRegions,
    ids: number,
    { part, parts }: { part: number; parts: number },
    generation: number,
  ): void {
    const { gradient, packed } = this.#layout;
    const vocabulary = this.#embedding.shape[0];
    const rows = partOf(ids, part, parts);
    const idAt = (row: number) => (row < ids ? this.#ints[shard.distinct + row] : vocabulary);
    const firstId = part === 0 ? 0 : idAt(rows.first);
    const endId = part === parts - 1 ? vocabulary : idAt(rows.first + rows.count);
    const embed = this.#embed;
    const out = gradient + this.#embedding.start;
    this.#sumOverLanes(shard, rows, { first: 0, count: this.#width });
    this.#kernels.multiply(
      shard.projected,
      this.#width,
      packed.layers[0].inputBackward,
      shard.embedded,
      embed,
      rows.count,
      this.#width,
      embed,
      START.zero,
      0,
      0,
      0,
    );
    this.#kernels.fill(out + firstId * embed, (endId - firstId) * embed, 0);
    for (let row = 0; row < rows.count; row++) {
      const id = idAt(rows.first + row);
      this.#kernels.copy(shard.embedded + row * embed, out + id * embed, embed);
    }
    const partials = this.#partials(generation);
    this.#sumSquares(out + firstId * embed, endId - firstId, 1, partials + firstId);
  }

  /** Place, in doubles, of the sums of squares of the step that began with the generation. */
  #partials(generation: number): number {
    const { partials } = this.#layout;
    return partials[generation % partials.length] / 2;
  }

  /** projected (rows, columns) = that part of D. */
  #sumOverLanes(shard: ShardRegions, rows: Span, columns: Span): void {
    const { lanes } = this.#layout;
    for (let row = 0; row < rows.count; row++) {
      this.#placeLanes(this.#ints[shard.distinct + rows.first + row], columns.first, shard);
      const out = shard.projected + row * columns.count;
      this.#kernels.sumLanes(0, shard.lanePlaces, lanes.length, columns.count, out, shard.tree);
    }
  }

  /** Where each lane has the id's gate gradients from a column on; nowhere if the id does not occur in it. */
  #placeLanes(id: number, column: number, { lanePlaces }: ShardRegions): void {
    const { lanes } = this.#layout;
    for (let lane = 0; lane < lanes.length; lane++) {
      const { rowOfId, gatesOfIds } = lanes[lane];
      const row = this.#ints[rowOfId + id];
      this.#ints[lanePlaces + lane] = row < 0 ? 0 : gatesOfIds + row * this.#width + column;
    }
  }

  /** A sum of squares for each `rowsTogether` rows; the first of them is number `partials` of the arena's doubles. */
  #sumSquares(rows: Offset, count: number, rowsTogether: number, partials: number): void {
    for (let row = 0; row < count; row += rowsTogether) {
      const words = Math.min(rowsTogether, count - row) * this.#embed;
      const sum = this.#kernels.sumOfSquares(rows + row * this.#embed, words);
      this.#doubles[partials + row / rowsTogether] = sum;
    }
  }
}

/** Sums of squares of the embedding, one a row, and of the first layer's input weights, one a group of rows. */
export function countInputPartials({ parameters: [embedding, weight] }: ParameterTable): number {
  return embedding.shape[0] + Math.ceil(weight.shape[0] / WEIGHT_ROWS);
}
