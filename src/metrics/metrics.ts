/** The metrics of one run: `train.ts` hands over what happened, Prometheus reads it. */
import { basename } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Phase } from './catalogue.ts';
import { CoordinationMetrics, setTotal } from './coordination-metrics.ts';
import { createInstruments, type Instruments } from './definitions.ts';
import { recordLayers } from './layer-metrics.ts';
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
  // At prom-client's 10 ms the timer takes 1% of a core from the workers; at 100 ms a tenth of it.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  // Gauges named like counters; each is the sum over `type` of the gauge without `_total`.
  for (const kind of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  }
}

export class Metrics implements Recorder {
  readonly contentType: string;
  readonly #registry: Registry;
  readonly #instruments: Instruments;
  readonly #coordination: CoordinationMetrics;
  readonly #now: () => number;
  #flopsPerToken = 0;
  #peakFlops: number | undefined;
  #lastStep: { step: number; milliseconds: number } | undefined;
  #lastCheckpoint: { milliseconds: number } | undefined;

  constructor(registry: Registry, instruments: Instruments, now: () => number) {
    this.contentType = registry.contentType;
    this.#registry = registry;
    this.#instruments = instruments;
    this.#coordination = new CoordinationMetrics(instruments);
    this.#now = now;
  }

  recordRun(record: RunRecord): void {
    const instruments = this.#instruments;
    instruments.active.set(1);
    instruments.startTime.set(this.#now() / 1000);
    recordInfo(instruments, record);
    instruments.workersPlanned.set(record.workers);
    instruments.stepsPlanned.set(record.totalSteps);
    if (record.clipNorm > 0) instruments.clipNorm.set(record.clipNorm);
    instruments.ringSlots.set(record.ringSlots);
    for (const [region, bytes] of record.arenaBytes) instruments.arenaBytes.set({ region }, bytes);
    this.#flopsPerToken = record.flopsPerToken;
    this.#peakFlops = record.peakFlops;
    if (record.peakFlops) instruments.peakFlops.set(record.peakFlops);
  }

  recordStep(record: StepRecord): void {
    const instruments = this.#instruments;
    const { step, loss, gradNorm, clipScale, tokensPerSecond } = record;
    instruments.steps.inc();
    instruments.tokens.inc(record.stepTokens);
    instruments.step.set(step);
    instruments.epoch.set(record.epoch);
    instruments.trainLoss.set(loss);
    instruments.trainBits.set(loss / Math.LN2);
    instruments.trainPerplexity.set(Math.exp(loss));
    instruments.gradientNorm.set(gradNorm);
    instruments.clippedGradientNorm.set(gradNorm * clipScale);
    if (clipScale < 1) instruments.clippedSteps.inc();
    instruments.learningRate.set(record.lr);
    instruments.tokensPerSecond.set(tokensPerSecond);
    instruments.secondsLeft.set(record.secondsLeft);
    instruments.flops.inc(record.stepTokens * this.#flopsPerToken);
    if (this.#peakFlops) {
      instruments.peakShare.set((tokensPerSecond * this.#flopsPerToken) / this.#peakFlops);
    }
    instruments.ringFilled.set(record.ringFilled);
    setTotal(instruments.bytesRead, record.bytesRead);
    this.#coordination.recordStep(record);
    this.#lastStep = { step, milliseconds: this.#now() };
  }

  /** Its end tells all. */
  recordEvaluationBegin(): void {}

  recordEvaluation({ loss, bestLoss, seconds }: EvaluationRecord): void {
    const instruments = this.#instruments;
    instruments.validationLoss.set(loss);
    instruments.validationBits.set(loss / Math.LN2);
    instruments.validationPerplexity.set(Math.exp(loss));
    instruments.bestValidationLoss.set(bestLoss);
    this.#coordination.recordPhase('evaluate', seconds);
  }

  recordGradients(gradients: GradientsRecord): void {
    recordLayers(this.#instruments, gradients);
  }

  /** Text is no metric. */
  recordSample(_sample: SampleRecord): void {}

  recordPool(pool: PoolRecord): void {
    this.#coordination.recordPool(pool);
  }

  recordPhase(phase: Phase, seconds: number): void {
    this.#coordination.recordPhase(phase, seconds);
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

  recordNotFinite(): void {
    this.#instruments.notFinite.inc();
  }

  recordEnd(): void {
    this.#instruments.active.set(0);
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

/** The series that are always 1. */
function recordInfo({ runInfo, buildInfo }: Instruments, run: RunRecord): void {
  const { cell, hidden, layers, batch, chunk, lanes, optimizer, backend, variant, version } = run;
  const labels = { cell, hidden, layers, batch, chunk, lanes, optimizer, backend, variant };
  runInfo.reset();
  runInfo.set(labels, 1);
  const platform = `${process.platform}-${process.arch}`;
  buildInfo.set({ version, node: process.versions.node, platform }, 1);
}
