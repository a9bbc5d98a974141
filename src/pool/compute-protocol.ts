/** What crosses threads between the compute pool and its threads: tasks and results. Types only. */
import type { ErrorRecord } from '../errors.ts';
import type { KernelChoice } from '../kernels/backend.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { LayerFlow } from '../model/gradient-flow.ts';
import type { InitRecipe } from '../model/init.ts';
import type { ParameterSquares } from '../model/parameter-squares.ts';
import type { ModelSpec } from '../model/spec.ts';
import type { OptimizerSettings } from '../optimizer/update.ts';

/** What every compute thread is given once. */
export interface ComputeThreadData {
  memory: WebAssembly.Memory;
  layout: ArenaLayout;
  spec: ModelSpec;
  kernels: KernelChoice;
  /** Absent where nothing is trained. */
  training?: ComputeTraining;
}

export interface ComputeTraining {
  /** N */
  streams: number;
  /** Streams and lanes of each shard, and the streams of each lane. */
  shards: { firstStream: number; streams: number; firstLane: number; lanes: number }[];
  lanes: { firstStream: number; streams: number }[];
  optimizer: OptimizerSettings;
  init: InitRecipe;
}

/** Generations count committed steps; a region of two is chosen by the generation modulo 2. */
export type ComputeTask =
  | { kind: 'ping' }
  | MeasureTask
  | SpanTask
  | TrainTask
  | EvaluateTask
  | ReduceTask
  | UpdateTask
  | FlowTask
  | SampleTask
  | SnapshotTask;

/** Of blocks of `initialBlocks`, of pieces of the parameter vector, or of parameters: [first, first + count) of a generation. */
export interface SpanTask {
  kind: 'initialize' | 'pack' | 'squares';
  first: number;
  count: number;
  generation: number;
}

/** Copies blocks [first, first + count) of a generation to the snapshot, and its carries where so told. */
export interface SnapshotTask {
  kind: 'snapshot';
  first: number;
  count: number;
  generation: number;
  carries: boolean;
}

/** Runs at the machine's limit for a while: multiply-adds in registers, or copying of memory. */
export interface MeasureTask {
  kind: 'measure';
  what: 'multiply-add' | 'copy';
  seconds: number;
}

/** Part `shard` of `parts` of the sum over lanes, in the workspace of that shard. */
export interface ReduceTask {
  kind: 'reduce';
  shard: number;
  parts: number;
  generation: number;
}

/** Forward and backward of one shard: losses by lane, gradients by lane and subtree, and carry of generation g to g+1. */
export interface TrainTask {
  kind: 'train';
  shard: number;
  generation: number;
  /** Ring slot. */
  slot: number;
  times: number;
  headTimes: number;
  /** Start from zero states: the first chunk of an epoch. */
  fromZero: boolean;
}

/** Forward of some streams of an evaluation. */
export interface EvaluateTask {
  kind: 'evaluate';
  shard: number;
  generation: number;
  slot: number;
  /** Number of the chunk: states pass between the two carries in turn, zero before the first. */
  chunk: number;
  times: number;
  headTimes: number;
  streams: number;
  firstStream: number;
  rows: number;
}

/**
 * Pieces [first, first + count) of the parameter vector, from generation g into g+1, and packed. Nothing is written where the
 * loss or the gradient of the step is not finite.
 */
export interface UpdateTask {
  kind: 'update';
  first: number;
  count: number;
  generation: number;
  /** N · T */
  tokens: number;
  /** 0: off */
  clipNorm: number;
  learningRate: number;
}

/**
 * How gradients flow back through the chunk of the step that made generation g, in the first lane: in the workspace of the
 * first shard, from the carry that the step began with. Of parameters [first, first + count), `squares` adds up the rest.
 */
export interface FlowTask {
  kind: 'flow';
  generation: number;
  slot: number;
  times: number;
  fromZero: boolean;
}

/** Text drawn after the token `first`, with the parameters of a generation and random numbers keyed by it. */
export interface SampleTask {
  kind: 'sample';
  first: number;
  /** Tokens to draw. */
  length: number;
  generation: number;
}

export interface ComputeResult {
  /** When the thread began the task, on the clock of `clock.ts`, and how long it was busy. */
  startedSeconds: number;
  seconds: number;
  /** Of an update task: it wrote nothing, and nothing may be begun that builds on it. */
  halts?: boolean;
  /** Of an evaluate task: summed loss (nats) of each stream. */
  losses?: number[];
  /** Tokens that a sample task drew. */
  ids?: number[];
  /** Of a measure task: floating-point operations, or bytes read and written, a second. */
  rate?: number;
  /** Of a flow task, by layer. */
  flow?: LayerFlow[];
  /** Of a squares task, by parameter. */
  squares?: ParameterSquares[];
}

/** An exception inside a task comes back as data: structured clone would drop its class. */
export type ComputeReply = ComputeResult | { error: ErrorRecord };
