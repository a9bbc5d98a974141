/** A run as it is shown while it trains: what it has been, and what happens, a few times a second. */
import type { Phase } from '../metrics/catalogue.ts';
import type {
  CheckpointRecord,
  EvaluationRecord,
  GradientsRecord,
  PoolRecord,
  Recorder,
  RunRecord,
  SampleRecord,
  StepRecord,
} from '../metrics/records.ts';
import { activeAlerts } from './alerts.ts';
import { type FeedEvent, FeedEvents, type FeedSnapshot, type LiveFeed } from './feed.ts';
import { RunHistory, rounded } from './history.ts';
import { finiteOrNull, gradientsPointOf, PointMaker } from './point-maker.ts';
import type { Alert, EvaluationPoint, RunDescription, Snapshot, Upkeep } from './protocol.ts';
import { shortened } from './samples.ts';
import { StepEvents } from './step-events.ts';
import { UpkeepMeter } from './upkeep.ts';
import { Vitals } from './vitals.ts';

/** Between two looks at what is wrong. */
const LOOK_MILLISECONDS = 1000;

export class LiveRun implements Recorder, LiveFeed {
  readonly #now: () => number;
  readonly #events = new FeedEvents();
  readonly #steps = new StepEvents(this.#events);
  readonly #vitals = new Vitals();
  readonly #points: PointMaker;
  readonly #upkeep: UpkeepMeter;
  #description: RunDescription;
  #history = new RunHistory();
  #alerts: Alert[] = [];
  #lastLook = 0;
  /** Since the timer has fired. */
  #hasLooked = false;
  /** The last one that an event has told. */
  #toldUpkeep: Upkeep;

  /** `now`: Unix time in milliseconds; `residentBytes`: of this process. */
  constructor(
    description: RunDescription,
    now: () => number = Date.now,
    residentBytes: () => number = process.memoryUsage.rss,
  ) {
    this.#description = description;
    this.#now = now;
    this.#points = new PointMaker(description.phases);
    this.#upkeep = new UpkeepMeter(residentBytes);
    this.#toldUpkeep = this.#upkeep.now;
  }

  /** All is known of the run now, and `history` of what it did before: training begins. */
  begin(description: RunDescription, history: RunHistory = new RunHistory()): void {
    const step = history.points.at(-1)?.step ?? 0;
    this.#description = description;
    this.#history = history;
    this.#steps.begin({ kind: 'training', step, secondsLeft: null });
    this.#vitals.begin(this.#seconds);
    this.#events.publish('snapshot', this.#toSnapshot());
  }

  /** `message`: why it failed, or what is amiss. */
  end(kind: 'finished' | 'stopped' | 'failed', message?: string): void {
    this.#completeLastStep();
    const { step } = this.#steps.state;
    this.#steps.end({ kind, step, secondsLeft: null, message });
    this.#look();
  }

  /** Looks at what is wrong from now on also while no step ends. */
  listen(listener: (event: FeedEvent) => void): () => void {
    const stop = this.#events.listen(listener);
    const watching = setInterval(() => this.#watch(), LOOK_MILLISECONDS).unref();
    return () => {
      stop();
      clearInterval(watching);
    };
  }

  /** Tells first what is pending, and holds it. */
  snapshot(): FeedSnapshot {
    this.#steps.publish();
    this.#look();
    return this.#events.snapshotOf(this.#toSnapshot());
  }

  /** The description says the rest. */
  recordRun(run: RunRecord): void {
    this.#upkeep.begin(run);
  }

  recordStep(record: StepRecord): void {
    const now = this.#now();
    const point = this.#points.pointOf(record, now / 1000);
    this.#history.addPoint(point);
    const secondsLeft = finiteOrNull(record.secondsLeft);
    this.#steps.add(point, { kind: 'training', step: record.step, secondsLeft }, now);
    this.#vitals.progressed(now / 1000);
    if (now - this.#lastLook >= LOOK_MILLISECONDS) this.#look();
  }

  recordEvaluationBegin(): void {
    this.#vitals.validates(this.#seconds);
  }

  recordEvaluation({ step, loss, bestLoss, seconds }: EvaluationRecord): void {
    this.#vitals.validated(seconds, this.#seconds);
    this.#points.addPhase('evaluate', seconds);
    const newest = this.#history.points.at(-1);
    const tokens = newest?.step === step ? newest.tokens : 0;
    const evaluation: EvaluationPoint = {
      step,
      tokens,
      loss: finiteOrNull(loss),
      best: loss === bestLoss,
    };
    this.#steps.publish();
    this.#history.addEvaluation(evaluation);
    this.#events.publish('evaluation', evaluation);
  }

  recordGradients(record: GradientsRecord): void {
    const gradients = gradientsPointOf(record);
    this.#steps.publish();
    this.#history.addGradients(gradients);
    this.#events.publish('gradients', gradients);
  }

  recordSample(record: SampleRecord): void {
    const sample = shortened(record);
    this.#steps.publish();
    this.#history.addSample(sample);
    this.#events.publish('sample', sample);
  }

  recordPhase(phase: Phase, seconds: number): void {
    this.#points.addPhase(phase, seconds);
  }

  recordPool(pool: PoolRecord): void {
    this.#points.addBusy(pool.busySeconds);
    this.#vitals.countRestarts(pool, this.#seconds);
  }

  recordCheckpoint({ bytes }: CheckpointRecord): void {
    this.#vitals.checkpointWritten(this.#seconds);
    this.#upkeep.checkpointWritten(bytes, this.#seconds);
  }

  recordCheckpointFailure(): void {
    this.#vitals.checkpointFailed(this.#seconds);
    this.#upkeep.checkpointFailed();
  }

  recordCheckpointSkipped(): void {
    this.#upkeep.checkpointSkipped();
  }

  /** Of no concern to one who looks at the run. */
  recordPendingLogs(): void {}

  /** The run fails of it. */
  recordNotFinite(): void {
    this.#vitals.failedToBeFinite();
  }

  /** `end` tells why. */
  recordFailure(): void {}

  /** `end` tells how, too. */
  recordEnd(): void {}

  /** No step is to come that what came after the last one could count with. */
  #completeLastStep(): void {
    const newest = this.#history.points.at(-1);
    const completed = newest && this.#points.completed(newest);
    if (!completed) return;
    this.#steps.publish();
    this.#history.completePoint(completed);
    this.#events.publish('completed', rounded(completed));
  }

  get #seconds(): number {
    return this.#now() / 1000;
  }

  /** Does, now and then, what steps do as they come. */
  #watch(): void {
    this.#steps.publish();
    if (!this.#hasLooked) this.#look();
    this.#hasLooked = false;
  }

  /** Publishes what of checkpoints and memory, and of the alerts, has changed. */
  #look(): void {
    this.#lastLook = this.#now();
    this.#hasLooked = true;
    this.#upkeep.measure();
    if (this.#toldUpkeep !== this.#upkeep.now) {
      this.#toldUpkeep = this.#upkeep.now;
      this.#events.publish('upkeep', this.#toldUpkeep);
    }
    const before = this.#alerts;
    this.#alerts = activeAlerts(
      {
        state: this.#steps.state.kind,
        phases: this.#description.phases,
        points: this.#history.points,
        gradients: this.#history.gradients.at(-1),
        hasIdleWorkers: this.#description.workers > this.#description.lanes,
        ...this.#vitals.toEvidence(),
      },
      this.#seconds,
      before,
    );
    if (JSON.stringify(before) === JSON.stringify(this.#alerts)) return;
    this.#events.publish('alerts', this.#alerts);
  }

  #toSnapshot(): Snapshot {
    return {
      run: this.#description,
      state: this.#steps.state,
      ...this.#history.toLists(),
      alerts: this.#alerts,
      upkeep: this.#upkeep.now,
    };
  }
}
