/** What all threads of a pool can do together at the machine's limit. */
import type { ComputePool } from './compute-pool.ts';
import type { ComputeTask, MeasureTask } from './compute-protocol.ts';

/** Operations or bytes a second of `workers` threads at once, each measured for so many seconds. */
export async function measureRate(
  pool: ComputePool,
  workers: number,
  what: MeasureTask['what'],
  seconds: number,
): Promise<number> {
  const task: ComputeTask = { kind: 'measure', what, seconds };
  const results = await pool.run(new Array<ComputeTask>(workers).fill(task));
  return results.reduce((sum, { rate }) => sum + (rate ?? 0), 0);
}
