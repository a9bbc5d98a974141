/** The metrics of one run: `train.ts` hands over what happened, Prometheus reads it. */
import { basename } from 'node:path';
import { type Counter, collectDefaultMetrics, type Histogram, Registry } from 'prom-client';
import { PHASES, type Phase } from './catalogue.ts';
import { createInstruments, type Instruments } from './definitions.ts';
import type {
  CheckpointRecord,
  EvaluationRecord,
  GradientsRecord,
  Health,
  PoolRecord,
  Recorder,
  RunRecord,
  SampleRecord,
  StepRecord,
} from './records.ts';

export interface MetricsOptions {
  /** Folder of the run. Its last name becomes the label `run` of every series; no path is shown. */
  run: string;
  /**
   * Adds prom-client's metrics of the process and of Node. Their event-loop timer lives as long as
   * the process (about 17 kB a run), so ask for them only where they are served.
   */
  processMetrics?: boolean;
  /** Unix time in milliseconds. */
  now?: () => number;
}

/** The metrics of one run, in a registry of their own: several runs in one process do not mix. */
export function createMetrics({ run, processMetrics, now = Date.now }: MetricsOptions): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ run: basename(run) });
  if (processMetrics) addProcessMetrics(registry);
  return new Metrics(registry, createInstruments(registry), now);
}

function addProcessMetrics(registry: Registry): void {
  // At prom-client's 10 ms the timer costs 1% of a core; at 20 ms half of it.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  // Gauges named like counters; each is the sum over `type` of the gauge without `_total`.
  for (const kind of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  }
}

export class Metrics implements Recorder {
  readonly contentType: string;
  readonly #registry: Registry;
  readonly #instruments: Instruments;
  readonly #now: () => number;
  // Children are kept because finding one by its labels takes three times as long as counting.
  readonly #phases: ReadonlyMap<Phase, Histogram.Internal<'phase'>>;
  readonly #busySeconds: Counter.Internal[] = [];
  #lastStep: { step: number; milliseconds: number } | undefined;
  #lastCheckpoint: { milliseconds: number } | undefined;

  constructor(registry: Registry, instruments: Instruments, now: () => number) {
    this.contentType = registry.contentType;
    this.#registry = registry;
    this.#instruments = instruments;
    this.#now = now;
    this.#phases = new Map(
      PHASES.map((phase) => [phase, instruments.phaseSeconds.labels({ phase })]),
    );
    for (const phase of PHASES) instruments.phaseSeconds.zero({ phase });
  }

  recordRun({ cell, backend, variant, version, arenaBytes }: RunRecord): void {
    const { runInfo, arenaBytes: arena } = this.#instruments;
    runInfo.reset();
    runInfo.set({ cell, backend, variant, version }, 1);
    arena.set(arenaBytes);
  }

  recordStep(record: StepRecord): void {
    const instruments = this.#instruments;
    instruments.steps.inc();
    instruments.tokens.inc(record.stepTokens);
    instruments.step.set(record.step);
    instruments.epoch.set(record.epoch);
    instruments.trainLoss.set(record.loss);
    instruments.gradientNorm.set(record.gradNorm);
    instruments.learningRate.set(record.lr);
    instruments.tokensPerSecond.set(record.tokensPerSecond);
    if (record.clipScale < 1) instruments.clippedSteps.inc();
    for (const [phase, child] of this.#phases) {
      const seconds = record.phaseSeconds[phase];
      if (seconds !== undefined) child.observe(seconds);
    }
    this.#lastStep = { step: record.step, milliseconds: this.#now() };
  }

  recordEvaluation({ loss, bestLoss, seconds }: EvaluationRecord): void {
    this.#instruments.validationLoss.set(loss);
    this.#instruments.bestValidationLoss.set(bestLoss);
    this.#phases.get('evaluate')!.observe(seconds);
  }

  recordGradients(_gradients: GradientsRecord): void {}

  /** Text is no metric. */
  recordSample(_sample: SampleRecord): void {}

  recordPool({ workers, restarts, repeatedTasks, actorRestarts, busySeconds }: PoolRecord): void {
    const instruments = this.#instruments;
    instruments.workers.set(workers);
    setTotal(instruments.workerRestarts, restarts);
    setTotal(instruments.repeatedTasks, repeatedTasks);
    instruments.actorRestarts.reset();
    for (const [actor, count] of Object.entries(actorRestarts)) {
      instruments.actorRestarts.inc({ actor }, count);
    }
    instruments.workerBusySeconds.reset();
    for (const [worker, seconds] of busySeconds.entries()) {
      this.#busySeconds[worker] ??= instruments.workerBusySeconds.labels({ worker });
      this.#busySeconds[worker].inc(seconds);
    }
  }

  recordCheckpoint({ bytes, seconds }: CheckpointRecord): void {
    const instruments = this.#instruments;
    instruments.checkpoints.inc();
    instruments.checkpointBytes.set(bytes);
    instruments.checkpointDuration.set(seconds);
    this.#lastCheckpoint = { milliseconds: this.#now() };
    instruments.lastCheckpoint.set(this.#lastCheckpoint.milliseconds / 1000);
  }

  recordCheckpointFailure(): void {
    this.#instruments.checkpointFailures.inc();
  }

  recordCheckpointSkipped(): void {
    this.#instruments.checkpointSkipped.inc();
  }

  recordPendingLogs(bytes: number): void {
    this.#instruments.pendingLogBytes.set(bytes);
  }

  /** All metrics of this moment, as Prometheus reads them; the text of `contentType`. */
  render(): Promise<string> {
    if (this.#lastCheckpoint) {
      this.#instruments.checkpointAge.set(this.#secondsSince(this.#lastCheckpoint.milliseconds));
    }
    return this.#registry.metrics();
  }

  health(): Health {
    if (!this.#lastStep) return { step: null, secondsSinceStep: null };
    const { step, milliseconds } = this.#lastStep;
    return { step, secondsSinceStep: this.#secondsSince(milliseconds) };
  }

  /** Never negative, even where the clock was set back. */
  #secondsSince(milliseconds: number): number {
    return Math.max(0, this.#now() - milliseconds) / 1000;
  }
}

/** A counter as another owner counts it; were that one to begin anew, Prometheus sees a reset. */
function setTotal(counter: Counter, total: number): void {
  counter.reset();
  counter.inc(total);
}
