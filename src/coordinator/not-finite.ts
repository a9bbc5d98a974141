/** What is said of a step whose loss or gradient is not finite. */
import { NotFiniteError } from '../errors.ts';
import type { ArenaViews } from '../memory/arena.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { ParameterTable } from '../model/parameters.ts';

/** The parameter vector, and where its gradient lies. */
interface Gradient {
  table: ParameterTable;
  layout: ArenaLayout;
  views: ArenaViews;
}

/** Of the step after so many, whose gradient is the one in the arena: names the layer and parameter that it begins in. */
export function notFinite(
  gradient: Gradient,
  step: number,
  { loss, gradNorm }: { loss: number; gradNorm: number },
): NotFiniteError {
  const what = Number.isFinite(gradNorm)
    ? `The loss of step ${step + 1} is not finite: ${loss}`
    : `The gradient of step ${step + 1} is not finite (loss ${loss}): ${whereIn(gradient)}`;
  return new NotFiniteError(
    `${what}. The parameters of step ${step} are kept. ` +
      'Use a smaller --lr, a --warmup, or a smaller --clip-norm.',
    { step: step + 1, phase: 'clip' },
  );
}

function whereIn({ table, layout, views }: Gradient): string {
  const values = views.reals.subarray(layout.gradient, layout.gradient + table.paddedLength);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return 'its norm overflows';
  const { name, layer } = table.at(bad);
  return `${values[bad]} first in ${layer}, ${name}`;
}
