/** Gradient clipping by global norm (Pascanu, Mikolov & Bengio 2013). Pure. */

export interface ClipResult {
  /** Norm of the mean gradient before clipping. */
  gradNorm: number;
  /** Factor that brings the norm down to the limit; 1 where it is below. */
  clipScale: number;
}

/**
 * `partials`: sums of squares of the summed gradient by block, added in order. `clipNorm` 0 is off. The norm is NaN or
 * infinite exactly when an element of the gradient is, or its square overflows float64 sums.
 */
export function clipByNorm(partials: Float64Array, tokens: number, clipNorm: number): ClipResult {
  let sum = 0;
  for (let i = 0; i < partials.length; i++) sum += partials[i];
  const gradNorm = Math.sqrt(sum) / tokens;
  return { gradNorm, clipScale: clipNorm > 0 && gradNorm > clipNorm ? clipNorm / gradNorm : 1 };
}
