/** What the recorders of a run are told of it before its first step. */
import type { Config } from '../config/config.ts';
import type { Engine, EnginePlan } from '../coordinator/engine.ts';
import { memoryPlan } from '../coordinator/layout.ts';
import type { RunRecord } from '../metrics/records.ts';
import { flopsPerToken } from '../model/flops.ts';
import { measureRate } from '../pool/machine-rate.ts';
import { VERSION } from '../version.ts';
import type { RunShape } from './run-plan.ts';

/** Time for which all threads are driven to their limit, to know what the run can be held against. */
const PEAK_SECONDS = 0.05;

/** The machine is measured only where somebody may read of it. */
export async function runRecord(
  config: Config,
  { request, layout, lanes }: EnginePlan,
  { totalSteps }: RunShape,
  { pool }: Engine,
): Promise<RunRecord> {
  const { cell, hidden, layers, batch, chunk, optimizer, workers, clipNorm } = config;
  const peakFlops = config.metrics
    ? await measureRate(pool, workers, 'multiply-add', PEAK_SECONDS)
    : undefined;
  return {
    ...{ cell, hidden, layers, batch, chunk, lanes: lanes.length, optimizer },
    ...request.kernels,
    ...{ version: VERSION, workers, totalSteps, clipNorm, peakFlops },
    flopsPerToken: flopsPerToken(request.spec),
    ringSlots: layout.ring.length,
    arenaBytes: memoryPlan(layout),
  };
}
