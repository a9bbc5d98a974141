/**
 * Looks at the gradients of the step just done: outside the training mathematics, because its tasks write nothing but a
 * workspace that every step fills anew. The figures do not depend on the number of workers.
 */
import type { GateShare, LagNorm } from '../model/gradient-flow.ts';
import type { ParameterSquares } from '../model/parameter-squares.ts';
import type { ComputeTask } from '../pool/compute-protocol.ts';
import type { Engine, EnginePlan } from './engine.ts';
import { cutByCost } from './plan.ts';
import type { StepRequest } from './step-tasks.ts';

/** The chunk of the step, and whether its states started from zero. */
export type ProbeSource = Pick<StepRequest, 'slot' | 'fromZero'>;

export interface LayerProbe {
  /** `embedding`, `0` … `L-1`, `head` */
  layer: string;
  /** Of the layer's part of the mean gradient, before clipping. */
  gradientNorm: number;
  /** ‖θ(g+1) − θ(g)‖ / ‖θ(g)‖ */
  updateRatio: number;
  /** Of recurrent layers; see `src/model/gradient-flow.ts`. */
  normByLag?: LagNorm[];
  saturation?: GateShare[];
}

/**
 * Of the step that was done last, whose chunk must still lie in its slot: embedding, recurrent layers from the lowest, head.
 * Throws TrainingError where a worker failed for good.
 */
export async function probeGradients(
  { request, table }: EnginePlan,
  { pool, coordinator }: Engine,
  { slot, fromZero }: ProbeSource,
): Promise<LayerProbe[]> {
  const { generation } = coordinator;
  const { times, workers, training } = request;
  const costs = table.parameters.map(({ length }) => length);
  const spans = cutByCost(costs, workers).filter(({ count }) => count > 0);
  const tasks: ComputeTask[] = [
    { kind: 'flow', generation, slot, times, fromZero },
    ...spans.map((span): ComputeTask => ({ kind: 'squares', ...span, generation })),
  ];
  await coordinator.withdraw();
  const results = await pool.run(tasks, { step: generation });
  const squares = results.flatMap((result) => result.squares ?? []);
  const flow = results[0].flow ?? [];
  const tokens = (training?.streams ?? 0) * times;
  return groupByLayer(table.parameters, squares).map(([name, sums]) => {
    const recurrent = /^layer (\d+)$/.exec(name)?.[1];
    return {
      layer: recurrent ?? name,
      gradientNorm: Math.sqrt(sums.gradient) / tokens,
      updateRatio: Math.sqrt(sums.update / sums.weights),
      ...(recurrent !== undefined && flow[Number(recurrent)]),
    };
  });
}

/** Sums of squares of each layer, its parameters added in the order of the table. */
function groupByLayer(
  parameters: readonly { layer: string }[],
  squares: readonly ParameterSquares[],
): [string, ParameterSquares][] {
  const layers = new Map<string, ParameterSquares>();
  for (const [i, { layer }] of parameters.entries()) {
    const { gradient, weights, update } = squares[i];
    const sums = layers.get(layer) ?? { gradient: 0, weights: 0, update: 0 };
    sums.gradient += gradient;
    sums.weights += weights;
    sums.update += update;
    layers.set(layer, sums);
  }
  return [...layers];
}
