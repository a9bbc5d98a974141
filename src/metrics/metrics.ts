/** The metrics of one run: `train.ts` hands over what happened, Prometheus reads it. */
import { basename } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Phase } from './catalogue.ts';
import { CoordinationMetrics } from './coordination-metrics.ts';
import { createInstruments, type Instruments } from './definitions.ts';
import { EventLoopLag } from './event-loop.ts';
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
import { StepMetrics } from './step-metrics.ts';

export interface MetricsOptions {
  /** Folder of the run. Its last name becomes the label `run` of every series; no path is shown. */
  run: string;
  /**
   * Adds prom-client's metrics of the process and of Node, and the lag of the event loop. What prom-client begins lives as
   * long as the process (about 17 kB a run), so ask for them only where they are served.
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
  const lag = processMetrics ? new EventLoopLag() : undefined;
  return new Metrics(registry, createInstruments(registry), now, lag);
}

/** The longest that a timer takes, 25 days: of that timer nothing is served. */
const NEVER_MILLISECONDS = 2 ** 31 - 1;

function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MILLISECONDS });
  // threadloom_event_loop_lag_seconds tells the lag. prom-client's gauges tell that of one moment, and else the time between two
  // firings of a timer, which a loop that is never late has at the timer's interval; they take a tenth of the time of a scrape.
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag_')) registry.removeSingleMetric(name);
  }
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
  readonly #steps: StepMetrics;
  readonly #now: () => number;
  readonly #eventLoopLag: EventLoopLag | undefined;
  #lastStep: { step: number; milliseconds: number } | undefined;
  /** The last. */
  #pool: PoolRecord | undefined;
  #lastCheckpoint: { milliseconds: number } | undefined;

  constructor(
    registry: Registry,
    instruments: Instruments,
    now: () => number,
    eventLoopLag: EventLoopLag | undefined,
  ) {
    this.contentType = registry.contentType;
    this.#registry = registry;
    this.#instruments = instruments;
    this.#coordination = new CoordinationMetrics(instruments);
    this.#steps = new StepMetrics(instruments, this.#coordination);
    this.#now = now;
    this.#eventLoopLag = eventLoopLag;
  }

  recordRun(record: RunRecord): void {
    const instruments = this.#instruments;
    instruments.active.set(1);
    instruments.failed.set(0);
    instruments.checkpointFailuresInARow.set(0);
    instruments.startTime.set(this.#now() / 1000);
    recordInfo(instruments, record);
    instruments.workersPlanned.set(record.workers);
    instruments.stepsPlanned.set(record.totalSteps);
    if (record.clipNorm > 0) instruments.clipNorm.set(record.clipNorm);
    instruments.ringSlots.set(record.ringSlots);
    for (const [region, bytes] of record.arenaBytes) instruments.arenaBytes.set({ region }, bytes);
    this.#steps.begin(record);
    if (record.peakFlops) instruments.peakFlops.set(record.peakFlops);
  }

  recordStep(record: StepRecord): void {
    this.#lastStep = { step: record.step, milliseconds: this.#now() };
    this.#steps.add(record);
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
    this.#pool = pool;
  }

  recordPhase(phase: Phase, seconds: number): void {
    this.#coordination.recordPhase(phase, seconds);
  }

  recordCheckpoint({ bytes, seconds }: CheckpointRecord): void {
    const instruments = this.#instruments;
    instruments.checkpoints.inc();
    instruments.checkpointFailuresInARow.set(0);
    instruments.checkpointBytes.set(bytes);
    instruments.checkpointDuration.set(seconds);
    this.#lastCheckpoint = { milliseconds: this.#now() };
    instruments.lastCheckpoint.set(this.#lastCheckpoint.milliseconds / 1000);
  }

  recordCheckpointFailure(): void {
    this.#instruments.checkpointFailures.inc();
    this.#instruments.checkpointFailuresInARow.inc();
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

  recordFailure(): void {
    this.#instruments.failed.set(1);
  }

  recordEnd(): void {
    this.#instruments.active.set(0);
  }

  /** All metrics of this moment, as Prometheus reads them; the text of `contentType`. */
  render(): Promise<string> {
    this.#steps.count();
    if (this.#pool) this.#coordination.recordPool(this.#pool);
    if (this.#lastCheckpoint) {
      this.#instruments.checkpointAge.set(this.#secondsSince(this.#lastCheckpoint.milliseconds));
    }
    for (const { percentile, seconds } of this.#eventLoopLag?.read() ?? []) {
      this.#instruments.eventLoopLag.set({ percentile }, seconds);
    }
    return this.#registry.metrics();
  }

  /** Ends what measures by itself. What has been measured can be rendered still. */
  close(): void {
    this.#eventLoopLag?.stop();
  }

  health(): Health {
    if (!this.#lastStep) return { step: null, stepTime: null, secondsSinceStep: null };
    const { step, milliseconds } = this.#lastStep;
    const secondsSinceStep = this.#secondsSince(milliseconds);
    return { step, stepTime: milliseconds / 1000, secondsSinceStep };
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
