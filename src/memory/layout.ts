/**
 * Where everything lies in the arena, as plain data that every thread is given. Types only; the layout is
 * made by `src/coordinator/layout.ts`. Letters: N streams, R rows (streams) of one shard, T time steps, E embedding,
 * H hidden, L layers, V vocabulary, S lanes, G gates of the cell, C gate columns of its workspace.
 */
import type { Offset, Region } from './table.ts';

export interface ArenaLayout {
  readonly words: number;
  readonly regions: readonly Region[];
  /** Parameter vector, by generation modulo 2. */
  readonly parameters: readonly [Offset, Offset];
  /** Optimizer state: a vector per moment, by generation modulo 2. */
  readonly moments: readonly (readonly [Offset, Offset])[];
  readonly gradient: Offset;
  /**
   * float64 sums of squares of the gradient: of each row of the embedding, of each group of rows of the first layer's
   * input weights, then of each block of the rest. By the generation that the step began with, in turn: the coordinator reads those of
   * all steps that were given out at once while the next one is computed.
   */
  readonly partials: readonly Offset[];
  /** float64 (S): loss of each lane over the chunk, nats; likewise. */
  readonly laneLosses: readonly Offset[];
  readonly packed: PackedRegions;
  readonly lanes: readonly LaneRegions[];
  /** In order of lane; all lanes together. */
  readonly subtrees: readonly SubtreeRegions[];
  /** Carried states (states, L, N, H), by generation modulo 2. states: hidden, and cell of an LSTM. */
  readonly carries: readonly [Offset, Offset];
  /** The same for the streams of an evaluation. */
  readonly evaluationCarries: readonly [Offset, Offset];
  readonly ring: readonly RingSlot[];
  readonly evaluationRing: readonly RingSlot[];
  readonly shards: readonly ShardRegions[];
  readonly sample: SampleRegions;
  /** Copies that only the checkpoint writer reads. */
  readonly snapshot: SnapshotRegions;
}

/** One prepared chunk: ids and targets, int32 (T, N). */
export interface RingSlot {
  readonly ids: Offset;
  readonly targets: Offset;
}

/** What one lane gives to the gradients of the embedding and of the first layer's input weights. */
export interface LaneRegions {
  /** Gate gradients of the first layer summed by id, for the ids that occur in the lane: (≤ min(V, T·rows), G·H). */
  readonly gatesOfIds: Offset;
  /** int32 (V): row of an id in gatesOfIds, or −1. */
  readonly rowOfId: Offset;
}

/** The weight gradients of neighbouring lanes of one shard that are a whole subtree of the sum over lanes. */
export interface SubtreeRegions {
  readonly firstLane: number;
  readonly lanes: number;
  /** Gradients of all parameters after the first layer's input weights, laid out as in the parameter vector. */
  readonly gradient: Offset;
  /** int32 (lanes): streams of each lane. Written before the threads start. */
  readonly laneRows: Offset;
}

export interface PackedLayer {
  /** Wᵢₕᵀ (in, G·H) and Wᵢₕ (G·H, in). */
  readonly inputForward: Offset;
  readonly inputBackward: Offset;
  /** By block of the cell: Wₕₕᵀ (H, count) and Wₕₕ (count, H). */
  readonly recurrentForward: readonly Offset[];
  readonly recurrentBackward: readonly Offset[];
  /** bᵢₕ + bₕₕ (G·H), without bₕₕ where the cell adds it elsewhere. */
  readonly bias: Offset;
}

export interface PackedRegions {
  readonly layers: readonly PackedLayer[];
  readonly headForward: Offset;
  readonly headBackward: Offset;
}

export interface LayerRegions {
  /** (T, R, C·H): pre-activations, activations, then their gradients. */
  readonly gates: Offset;
  /** (T+1, R, H), the carried state first. */
  readonly hidden: Offset;
  /** (T+1, R, H) of an LSTM, else 0. */
  readonly cell: Offset;
  /** (T, R, H) after dropout; hidden's rows from 1 on where there is none. */
  readonly output: Offset;
}

/** Workspace of the worker that computes one shard. */
export interface ShardRegions {
  /** int32 (T, R). */
  readonly ids: Offset;
  readonly targets: Offset;
  /** int32 (T, R): row of each token among the distinct ids of the shard, then of its lane. */
  readonly rows: Offset;
  /** int32 (V): row of an id, or −1. */
  readonly rowOfId: Offset;
  /** int32: the distinct ids of the shard in order of appearance; in the reduction, those of all streams. */
  readonly distinct: Offset;
  /** int32 (1): their number. */
  readonly distinctCount: Offset;
  /** (distinct, E): embedding rows of the distinct ids. */
  readonly embedded: Offset;
  /** (distinct, G·H): their input projections; in the reduction, a part of their summed gate gradients. */
  readonly projected: Offset;
  readonly layers: readonly LayerRegions[];
  /** Two of (T+1, R, H), used in turn by the layers from the top down. */
  readonly dHidden: readonly [Offset, Offset];
  /** (R, H) of an LSTM. */
  readonly dCell: Offset;
  /** (head times · R, V). */
  readonly logits: Offset;
  /** (T, R) */
  readonly losses: Offset;
  /** Of each lane of the shard, where the head is computed in several blocks: its weight gradient, then its bias's. */
  readonly headSums: Offset;
  /** Scratch of the matrix kernels. */
  readonly scratch: Offset;
  /** Partial sums of the tree over lanes. */
  readonly tree: Offset;
  /** int32 (S): where the lanes' vectors begin that are summed. */
  readonly lanePlaces: Offset;
}

/** What text is drawn in while training goes on; a chunk of one token of one stream at a time. */
export interface SampleRegions {
  readonly slot: RingSlot;
  /** (states, L, 1, H), used in turn. */
  readonly carries: readonly [Offset, Offset];
}

export interface SnapshotRegions {
  readonly parameters: Offset;
  readonly moments: readonly Offset[];
  readonly carries: Offset;
}
