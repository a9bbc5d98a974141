/**
 * Forward and backward of one chunk for one shard: embedding → L recurrent layers, dropout after each → linear → softmax
 * cross-entropy. Writes only the shard's workspace, lanes and subtrees and its streams' rows of the outgoing carry.
 */
import type { Kernels } from '../kernels/contract.ts';
import type { PackedRegions, RingSlot, ShardRegions } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import { type CellStep, cellOf } from './cells/cell.ts';
import { type LayerFlow, normsByLag, saturationOf } from './gradient-flow.ts';
import type { Chunk, NetworkContext, Subtree } from './layers/context.ts';
import { applyDropout, type DropoutKey } from './layers/dropout.ts';
import { projectTokens, sumGatesById } from './layers/embedding-input.ts';
import { computeLastLoss, computeLogits, computeLoss } from './layers/loss-head.ts';
import {
  projectInput,
  projectInputBackward,
  sumWeightGradients,
  unroll,
  unrollBackward,
} from './layers/recurrent.ts';
import type { ParameterTable } from './parameters.ts';

/** The rows of a shard within all streams, and the states they carry. */
export interface StreamRange {
  /** N: streams of the whole chunk. */
  streams: number;
  firstStream: number;
  /** Carried states (states, L, N, H) to start from; 0 starts from zero. */
  carryIn: Offset;
  /** Where the last states go; 0 drops them. */
  carryOut: Offset;
}

export class Network {
  readonly #context: NetworkContext;
  readonly #step: CellStep = {
    gates: 0,
    hiddenBefore: 0,
    hidden: 0,
    cellBefore: 0,
    cell: 0,
    dHiddenBefore: 0,
    dHidden: 0,
    dCell: 0,
    rows: 0,
    width: 0,
  };

  constructor(
    table: ParameterTable,
    kernels: Kernels,
    { ints, reals }: Pick<NetworkContext, 'ints' | 'reals'>,
    packed: PackedRegions,
    shard: ShardRegions,
  ) {
    const { spec } = table;
    this.#context = { spec, cell: cellOf(spec), table, kernels, ints, reals, packed, shard };
  }

  /** Losses (T, R) and the gradient of their sum, by lane or subtree, with dropout. */
  train(
    chunk: Chunk,
    slot: RingSlot,
    range: StreamRange,
    subtrees: readonly Subtree[],
    key: DropoutKey,
  ): void {
    this.#forward(chunk, slot, range, key);
    this.#backward(chunk, subtrees, key);
    this.#carryOut(chunk, range);
  }

  /** Losses (T, R) alone, without dropout. */
  evaluate(chunk: Chunk, slot: RingSlot, range: StreamRange): void {
    this.#forward(chunk, slot, range);
    computeLoss(this.#context, chunk, this.#output(chunk, this.#top, false), [], 0);
    this.#carryOut(chunk, range);
  }

  /** Logits (R, V) of the chunk's last time step, without dropout, into the shard's logits. */
  predict(chunk: Chunk, slot: RingSlot, range: StreamRange): void {
    this.#forward(chunk, slot, range);
    const { spec } = this.#context;
    const last = (chunk.times - 1) * chunk.rows * spec.hidden;
    computeLogits(this.#context, chunk, this.#output(chunk, this.#top, false) + last, 1);
    this.#carryOut(chunk, range);
  }

  /**
   * How the gradient of the chunk's last loss flows back through each layer, without dropout. Writes the shard's workspace
   * alone.
   */
  flow(chunk: Chunk, slot: RingSlot, range: Omit<StreamRange, 'carryOut'>): LayerFlow[] {
    const context = this.#context;
    const { spec, kernels, shard } = context;
    const stateWords = chunk.rows * spec.hidden;
    this.#forward(chunk, slot, { carryOut: 0, ...range });
    const layers = shard.layers.map((_, layer): LayerFlow => {
      return { normByLag: [], saturation: saturationOf(context, chunk, layer) };
    });
    for (let layer = this.#top; layer >= 0; layer--) {
      const dHidden = shard.dHidden[layer % 2];
      if (layer === this.#top) {
        const output = this.#output(chunk, layer, false);
        computeLastLoss(context, chunk, output, dHidden + stateWords);
      }
      unrollBackward(context, chunk, layer, dHidden, this.#step);
      layers[layer].normByLag = normsByLag(kernels, chunk, spec.hidden, dHidden);
      if (layer > 0) {
        projectInputBackward(context, chunk, layer, shard.dHidden[(layer - 1) % 2] + stateWords);
      }
    }
    return layers;
  }

  get #top(): number {
    return this.#context.spec.layers - 1;
  }

  #forward(chunk: Chunk, slot: RingSlot, range: StreamRange, key?: DropoutKey): void {
    const context = this.#context;
    this.#copyTokens(chunk, slot, range);
    this.#carryIn(chunk, range);
    for (let layer = 0; layer < context.spec.layers; layer++) {
      if (layer === 0) projectTokens(context, chunk);
      else projectInput(context, chunk, layer, this.#output(chunk, layer - 1, key !== undefined));
      unroll(context, chunk, layer, this.#step);
      if (key && context.spec.dropout > 0) {
        const states = this.#output(chunk, layer, false);
        applyDropout(context, chunk, layer, key, states, this.#output(chunk, layer, true));
      }
    }
  }

  #backward(chunk: Chunk, subtrees: readonly Subtree[], key: DropoutKey): void {
    const context = this.#context;
    const { spec, shard } = context;
    const stateWords = chunk.rows * spec.hidden;
    for (let layer = this.#top; layer >= 0; layer--) {
      const dHidden = shard.dHidden[layer % 2];
      const dOutput = dHidden + stateWords;
      if (layer === this.#top) {
        computeLoss(context, chunk, this.#output(chunk, layer, true), subtrees, dOutput);
      }
      if (spec.dropout > 0) applyDropout(context, chunk, layer, key, dOutput, dOutput);
      unrollBackward(context, chunk, layer, dHidden, this.#step);
      const input = layer > 0 ? this.#output(chunk, layer - 1, true) : 0;
      for (const subtree of subtrees) {
        sumWeightGradients(context, chunk, layer, subtree, input);
        if (layer > 0) continue;
        for (const lane of subtree.lanes) sumGatesById(context, chunk, lane);
      }
      if (layer > 0) {
        projectInputBackward(context, chunk, layer, shard.dHidden[(layer - 1) % 2] + stateWords);
      }
    }
  }

  /** Output (T, R, H) of a layer: after dropout where there is any and `dropped`, else the states 1 … T. */
  #output(chunk: Chunk, layer: number, dropped: boolean): Offset {
    const { spec, shard } = this.#context;
    const { hidden, output } = shard.layers[layer];
    return dropped && spec.dropout > 0 ? output : hidden + chunk.rows * spec.hidden;
  }

  /** The shard's columns of ids and targets (T, N) of the ring, as (T, R). */
  #copyTokens({ times, rows }: Chunk, slot: RingSlot, range: StreamRange): void {
    const { ints, shard } = this.#context;
    for (let t = 0; t < times; t++) {
      const from = t * range.streams + range.firstStream;
      ints.copyWithin(shard.ids + t * rows, slot.ids + from, slot.ids + from + rows);
      ints.copyWithin(shard.targets + t * rows, slot.targets + from, slot.targets + from + rows);
    }
  }

  #carryIn(chunk: Chunk, range: StreamRange): void {
    const { kernels } = this.#context;
    this.#forEachState(chunk, range, range.carryIn, (carried, first, words) => {
      if (range.carryIn) kernels.copy(carried, first, words);
      else kernels.fill(first, words, 0);
    });
  }

  #carryOut(chunk: Chunk, range: StreamRange): void {
    if (!range.carryOut) return;
    const { kernels } = this.#context;
    this.#forEachState(chunk, range, range.carryOut, (carried, first, words) =>
      kernels.copy(first + chunk.times * words, carried, words),
    );
  }

  /** Visits each carried state (layer by layer, hidden before cell) with its place in `carry` and its state 0. */
  #forEachState(
    { rows }: Chunk,
    { streams, firstStream }: StreamRange,
    carry: Offset,
    visit: (carried: Offset, first: Offset, words: number) => void,
  ): void {
    const { spec, cell, shard } = this.#context;
    const { hidden, layers } = spec;
    for (let state = 0; state < (cell.hasCellState ? 2 : 1); state++) {
      for (let layer = 0; layer < layers; layer++) {
        const row = (state * layers + layer) * streams + firstStream;
        const first = state === 0 ? shard.layers[layer].hidden : shard.layers[layer].cell;
        visit(carry + row * hidden, first, rows * hidden);
      }
    }
  }
}
