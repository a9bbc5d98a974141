/** What is given to the pool in each phase of a step, and around it. Pure. */
import { initialBlocks } from '../model/init.ts';
import type { Piece } from '../model/packing.ts';
import { BLOCK, type ParameterTable } from '../model/parameters.ts';
import { headTimes } from '../model/workspace.ts';
import type { ComputeTask } from '../pool/compute-protocol.ts';
import { MAX_STAGES } from '../pool/stage-gates.ts';
import type { Stage } from '../pool/staged-work.ts';
import { cut, cutByCost, type Span } from './plan.ts';

/** Stages of a step: compute, reduce, update. */
export const STEP_STAGES = 3;
export const MAX_STEPS_AT_ONCE = MAX_STAGES / STEP_STAGES;

export interface TaskPlan {
  table: ParameterTable;
  /** Of the parameter vector. */
  pieces: readonly Piece[];
  workers: number;
  /** N and T; shards in which streams are trained. */
  streams: number;
  times: number;
  shards: number;
}

/** What is new in each step. */
export interface StepRequest {
  /** Ring slot of the chunk. */
  slot: number;
  /** First chunk of an epoch: states start from zero. */
  fromZero: boolean;
  learningRate: number;
  /** 0: off */
  clipNorm: number;
}

export class StepTasks {
  readonly #plan: TaskPlan;
  /** Spans of blocks, and of pieces. */
  readonly #ranges: readonly Span[];
  readonly #pieceSpans: readonly Span[];
  readonly #headTimes: number;

  constructor(plan: TaskPlan) {
    const { table, pieces, workers, streams, times } = plan;
    this.#plan = plan;
    this.#ranges = filled(cut(table.paddedLength / BLOCK, workers));
    const costs = pieces.map(({ length, rows }) => length * (rows ? PACKED_COST : 1));
    this.#pieceSpans = filled(cutByCost(costs, workers));
    this.#headTimes = headTimes(table.spec, Math.max(1, streams), times);
  }

  /** Of one step after another, the first from `generation` to the next one: compute, reduce and update of each. */
  steps(generation: number, requests: readonly StepRequest[]): Stage[] {
    return requests.flatMap((request, i) => this.#step(generation + i, request));
  }

  pack(generation: number): ComputeTask[] {
    return this.#pieceSpans.map((span) => ({ kind: 'pack', ...span, generation }));
  }

  snapshot(generation: number): ComputeTask[] {
    return this.#ranges.map((range, i) => ({
      kind: 'snapshot',
      ...range,
      carries: i === 0,
      generation,
    }));
  }

  initialize(): ComputeTask[] {
    const { table, workers } = this.#plan;
    const costs = initialBlocks(table).map(
      ({ length, parameter }) => length * (parameter.shape[1] ?? 1),
    );
    const spans = filled(cutByCost(costs, workers));
    return spans.map((span) => ({ kind: 'initialize', ...span, generation: 0 }));
  }

  #step(generation: number, request: StepRequest): Stage[] {
    const place = { step: generation + 1 };
    return [
      { tasks: this.#train(generation, request), place },
      { tasks: this.#reduce(generation), place },
      { tasks: this.#update(generation, request), place },
    ];
  }

  #train(generation: number, { slot, fromZero }: StepRequest): ComputeTask[] {
    const { shards, times } = this.#plan;
    return Array.from({ length: shards }, (_, shard) => ({
      kind: 'train',
      shard,
      generation,
      slot,
      times,
      headTimes: this.#headTimes,
      fromZero,
    }));
  }

  /** A part uses the workspace of one shard; where there are more workers than shards, fewer parts. */
  #reduce(generation: number): ComputeTask[] {
    const { shards } = this.#plan;
    return Array.from({ length: shards }, (_, shard) => ({
      kind: 'reduce',
      shard,
      parts: shards,
      generation,
    }));
  }

  #update(generation: number, { learningRate, clipNorm }: StepRequest): ComputeTask[] {
    const { streams, times } = this.#plan;
    const tokens = streams * times;
    return this.#pieceSpans.map((span) => ({
      kind: 'update',
      generation,
      tokens,
      clipNorm,
      learningRate,
      ...span,
    }));
  }
}

/** Of a packed piece, where one of as many elements that is only updated takes 1. */
const PACKED_COST = 1.5;

function filled(spans: readonly Span[]): Span[] {
  return spans.filter(({ count }) => count > 0);
}
