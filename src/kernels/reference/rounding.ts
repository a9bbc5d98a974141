/** The numbers that the reference computes with. */

/** Float64Array makes every intermediate float64: for numeric gradient checks. */
export type Reals = Float32Array | Float64Array;

/** How a number is rounded that is stored between two operations. */
export function roundingOf(reals: Reals): (value: number) => number {
  return reals instanceof Float32Array ? Math.fround : (value) => value;
}
