/** What the tasks of a step leave in the arena for every thread to read: the loss of each lane, and squares of the gradient. */
import type { ArenaLayout } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import type { ParameterTable } from '../model/parameters.ts';
import { type ClipResult, clipByNorm } from '../optimizer/clip.ts';
import { countPartials } from './lane-reduction.ts';

export interface StepSummary extends ClipResult {
  /** Mean loss over the chunk's tokens, nats. */
  loss: number;
  /** Loss and gradient norm are; else the step must not be committed. */
  finite: boolean;
}

export class StepSums {
  /** By the generation that a step begins with, in turn: (S), nats, summed over the chunk. */
  readonly #losses: readonly Float64Array[];
  readonly #partials: readonly Float64Array[];

  constructor(table: ParameterTable, layout: ArenaLayout, doubles: Float64Array) {
    const regions = (offsets: readonly Offset[], length: number) =>
      offsets.map((offset) => doubles.subarray(offset / 2, offset / 2 + length));
    this.#losses = regions(layout.laneLosses, layout.lanes.length);
    this.#partials = regions(layout.partials, countPartials(table));
  }

  setLoss(generation: number, lane: number, loss: number): void {
    ofGeneration(this.#losses, generation)[lane] = loss;
  }

  /** Added up in order of lane and block: the same bits in every thread. Once all lanes are computed and reduced. */
  summarize(generation: number, tokens: number, clipNorm: number): StepSummary {
    let sum = 0;
    for (const loss of ofGeneration(this.#losses, generation)) sum += loss;
    const loss = sum / tokens;
    const clipped = clipByNorm(ofGeneration(this.#partials, generation), tokens, clipNorm);
    return { loss, ...clipped, finite: Number.isFinite(loss) && Number.isFinite(clipped.gradNorm) };
  }
}

function ofGeneration(inTurn: readonly Float64Array[], generation: number): Float64Array {
  return inTurn[generation % inTurn.length];
}
