/** What every layer is given: the model, the kernels and where things lie; the chunk at hand; and the lanes. */
import type { Kernels } from '../../kernels/contract.ts';
import type {
  LaneRegions,
  PackedRegions,
  ShardRegions,
  SubtreeRegions,
} from '../../memory/layout.ts';
import type { Offset } from '../../memory/table.ts';
import type { Cell } from '../cells/cell.ts';
import type { ParameterTable } from '../parameters.ts';
import type { ModelSpec } from '../spec.ts';

export interface NetworkContext {
  readonly spec: ModelSpec;
  readonly cell: Cell;
  readonly table: ParameterTable;
  readonly kernels: Kernels;
  /** The arena as int32 and as float32, at the offsets of the layout; float64 in tests. */
  readonly ints: Int32Array;
  readonly reals: Float32Array | Float64Array;
  readonly packed: PackedRegions;
  readonly shard: ShardRegions;
}

/** Sizes of the chunk at hand and the parameters it is computed with. */
export interface Chunk {
  /** First word of the parameter vector of the generation. */
  parameters: Offset;
  /** T */
  times: number;
  /** R */
  rows: number;
  /** Time steps of a block of the loss head. */
  headTimes: number;
}

/** A lane within its shard. */
export interface Lane {
  readonly firstRow: number;
  readonly rows: number;
  readonly regions: LaneRegions;
}

/** Neighbouring lanes of a shard whose weight gradients are summed where they are computed. */
export interface Subtree {
  readonly lanes: readonly Lane[];
  readonly regions: SubtreeRegions;
}

/** Where the gradient of a parameter lies in a subtree; not for those that are computed after the sum over lanes. */
export function subtreeGradient(
  { table }: NetworkContext,
  { regions }: Subtree,
  parameter: string,
): Offset {
  return regions.gradient + table.get(parameter).start - table.inputPadded;
}
