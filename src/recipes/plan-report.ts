/** What a run tells before its first step: the plan, and what of it the user may not want. */
import type { FoundCheckpoint } from '../checkpoint/finder.ts';
import type { Config, Settings } from '../config/config.ts';
import { flagOf } from '../config/setting-table.ts';
import type { EnginePlan } from '../coordinator/engine.ts';
import { memoryPlan } from '../coordinator/layout.ts';
import type { Corpus } from '../data/corpus.ts';
import { InputError, shellWord } from '../errors.ts';
import { whyNotNative } from '../kernels/backend.ts';
import { surroundings } from '../machine.ts';
import type { ServingAddress } from '../metrics/server.ts';
import type { RunPlan, TrainObserver } from './reports.ts';
import type { RunShape } from './run-plan.ts';
import type { Start } from './run-start.ts';

/** One sentence for each thing of the plan that the user may not want. */
export function warnAbout(
  config: Config,
  plan: EnginePlan,
  { horizon, totalSteps }: RunShape,
  restored: FoundCheckpoint | undefined,
  { onWarning }: TrainObserver,
): void {
  const { cores } = surroundings();
  const { variant } = plan.request.kernels;
  if (config.workers > cores) {
    onWarning?.(
      `--workers ${config.workers} is more than the ${cores} cores this process may use; expect no gain.`,
    );
  }
  if (config.workers > plan.shards.length) {
    onWarning?.(
      `${config.workers - plan.shards.length} of ${config.workers} workers stay idle in the compute phase: there are ${config.lanes} lanes (--lanes).`,
    );
  }
  if (totalSteps > horizon && config.schedule === 'cosine') {
    onWarning?.(
      `The cosine schedule of this run has come down to a learning rate of 0 by step ${horizon}: the steps after it, ` +
        `up to ${totalSteps}, change nothing. To train on, start a new run with its weights: ${startFrom(config.run)}`,
    );
  }
  if (restored && restored.checkpoint.header.variant !== variant) {
    onWarning?.(
      `The checkpoint was written with kernels ${restored.checkpoint.header.variant}; going on with ${variant}, equal to rounding but not to the bit.`,
    );
  }
}

/** Says which of the settings of a run with --from were given in vain: how the weights would be drawn. */
export function warnOfDrawing(settings: Settings, { onWarning }: TrainObserver): void {
  const names = (['init', 'forgetBias', 'identityScale'] as const).filter(
    (name) => settings[name] !== undefined,
  );
  if (names.length === 0) return;
  const flags = new Intl.ListFormat('en').format(names.map(flagOf));
  onWarning?.(
    `The weights come from --from: ${flags} ${names.length > 1 ? 'have' : 'has'} no effect.`,
  );
}

/** The command that trains on where a run has come to its end. */
function startFrom(run: string): string {
  return `threadloom train FILES --from ${shellWord(run)}`;
}

/** Throws InputError where more steps are asked of a run whose time is up. */
export function refuseUsedUpTime(
  { run, maxMinutes }: Config,
  { restored, totals }: Start,
  { totalSteps }: RunShape,
): void {
  if (!restored || (totals?.steps ?? totals?.epochs) === undefined) return;
  const { elapsedSeconds, step } = restored.checkpoint.header.progress;
  if (maxMinutes === undefined || elapsedSeconds < 60 * maxMinutes || totalSteps <= step) return;
  throw new InputError(
    `Expected no --steps and no --epochs for a run whose --max-minutes ${maxMinutes} are over: it takes no step any more. ` +
      `To train on, start a new run with its weights: ${startFrom(run)}`,
  );
}

export function reportPlan(
  config: Config,
  { index }: Corpus,
  plan: EnginePlan,
  shape: RunShape,
  firstStep: number,
  baseBytes: number,
  served: ServingAddress | undefined,
): RunPlan {
  const { backend, variant } = plan.request.kernels;
  return {
    config,
    run: config.run,
    backend,
    variant,
    notNative: config.backend === 'auto' && backend === 'wasm' ? whyNotNative() : undefined,
    workers: config.workers,
    lanes: plan.lanes.length,
    parameters: plan.table.count,
    vocabulary: index.vocabulary.length,
    trainSymbols: shape.training.count,
    valSymbols: shape.evaluation?.plan.count ?? 0,
    stepsPerEpoch: shape.training.chunks,
    totalSteps: shape.totalSteps,
    firstStep,
    arenaBytes: plan.arenaBytes,
    baseBytes,
    memory: memoryPlan(plan.layout),
    pageUrl: served && `${served.url}/`,
    metricsUrl: served && `${served.url}/metrics`,
  };
}
