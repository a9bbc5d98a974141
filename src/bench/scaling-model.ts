/**
 * How the time of a step falls with the workers: t(W) = serial + parallel/W + reduction·log₂W, all parts ≥ 0. Amdahl 1967 with
 * the cost of a tree reduction. Pure.
 */

export interface ScalingModel {
  serialSeconds: number;
  parallelSeconds: number;
  reductionSeconds: number;
}

export interface ScalingPoint {
  workers: number;
  seconds: number;
}

/** Fewer measurements would be explained by anything. */
export const LEAST_POINTS = 4;

/** Least squares with no part below zero: the best of all fits in which some parts are left out. */
export function fitScaling(points: readonly ScalingPoint[]): ScalingModel {
  if (points.length < LEAST_POINTS) {
    throw new RangeError(`A fit needs ${LEAST_POINTS} points, got ${points.length}`);
  }
  const terms = [
    () => 1,
    ({ workers }: ScalingPoint) => 1 / workers,
    ({ workers }: ScalingPoint) => Math.log2(workers),
  ];
  const candidates = [[0, 1, 2], [0, 1], [1, 2], [0, 2], [0], [1], [2]].map((used) => {
    const rows = points.map((point) => used.map((i) => terms[i](point)));
    const solution = solveNormal(
      rows,
      points.map(({ seconds }) => seconds),
    );
    const parts = [0, 0, 0];
    for (const [j, i] of used.entries()) parts[i] = solution[j];
    return parts;
  });
  const allowed = candidates.filter((parts) => parts.every((part) => part >= 0));
  const [best] = allowed.sort((a, b) => squaredError(points, a) - squaredError(points, b));
  return { serialSeconds: best[0], parallelSeconds: best[1], reductionSeconds: best[2] };
}

/** Seconds of a step that the model predicts. */
export function predictSeconds(model: ScalingModel, workers: number): number {
  const { serialSeconds, parallelSeconds, reductionSeconds } = model;
  return serialSeconds + parallelSeconds / workers + reductionSeconds * Math.log2(workers);
}

function squaredError(points: readonly ScalingPoint[], [serial, parallel, reduction]: number[]) {
  const model = {
    serialSeconds: serial,
    parallelSeconds: parallel,
    reductionSeconds: reduction,
  };
  return points.reduce(
    (sum, { workers, seconds }) => sum + (predictSeconds(model, workers) - seconds) ** 2,
    0,
  );
}

/** x of (AᵀA)x = Aᵀb by Gauss–Jordan elimination; NaN where the system is singular. */
function solveNormal(rows: readonly number[][], b: readonly number[]): number[] {
  const n = rows[0].length;
  const system = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (_, j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0)),
    rows.reduce((sum, row, k) => sum + row[i] * b[k], 0),
  ]);
  for (let pivot = 0; pivot < n; pivot++) {
    const scale = system[pivot][pivot];
    system[pivot] = system[pivot].map((value) => value / scale);
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = system[i][pivot];
      system[i] = system[i].map((value, j) => value - factor * system[pivot][j]);
    }
  }
  return system.map((row) => row[n]);
}
