/** Tells the logs, the recorder and the observer of a run what happened in it. */
import type { StepOutcome } from '../coordinator/coordinator.ts';
import { MAX_STEPS_AT_ONCE } from '../coordinator/step-tasks.ts';
import type { Phase } from '../metrics/catalogue.ts';
import { RateMeter } from '../metrics/rate-meter.ts';
import type { GradientsRecord } from '../metrics/records.ts';
import type { FillOutcome, FillRequest } from '../pool/actor-protocol.ts';
import { BusyMeter } from './busy-meter.ts';
import type { EvaluationReport, StepReport } from './reports.ts';
import type { RunJournal } from './run-journal.ts';
import type { RunProgress } from './run-progress.ts';
import type { TrainingParts } from './training-parts.ts';

/** Steps told together at most: telling more would keep the coordinator from the pool for longer than a short step takes. */
const MAX_UNTOLD = 16;
/** Since the last telling: by then steps are told with the next one that begins, or, where none does, without. */
export const TELL_MILLISECONDS = 100;

/** What a step was, beside its outcome. */
export interface StepTimes {
  learningRate: number;
  /** Wall time of the step, and of it the time its chunk was waited for. */
  seconds: number;
  loadSeconds: number;
  /** Chunks in the ring at its end. */
  ringFilled: number;
  /** Of those that were given out at once. */
  isLast: boolean;
}

type BetweenSeconds = Partial<Record<Phase, number>>;

/** A step that has happened, as it is logged and recorded. */
interface UntoldStep {
  report: StepReport;
  outcome: StepOutcome;
  times: StepTimes;
  /** Of each worker up to its end, and of those since the step before. */
  totalBusySeconds: readonly number[];
  busySeconds: readonly number[];
  betweenSeconds: BetweenSeconds | undefined;
  gradients: GradientsRecord['layers'] | undefined;
}

export class RunTelemetry {
  readonly #parts: TrainingParts;
  readonly #progress: RunProgress;
  readonly #journal: RunJournal;
  readonly #writerRestarts: () => number;
  readonly #rate = new RateMeter();
  /** What the workers did between one line of timings and the next. */
  readonly #busy: BusyMeter;
  /** Time of what has come since the last step, by phase. */
  #betweenSeconds: BetweenSeconds = {};
  #untold: UntoldStep[] = [];
  /** When steps were told, by `performance.now()`. */
  #lastTold = 0;
  #bytesRead: number;

  constructor(
    parts: TrainingParts,
    progress: RunProgress,
    journal: RunJournal,
    writerRestarts: () => number,
  ) {
    this.#parts = parts;
    this.#progress = progress;
    this.#journal = journal;
    this.#writerRestarts = writerRestarts;
    this.#busy = new BusyMeter(parts.engine.pool);
    // The scan has read all once.
    this.#bytesRead = parts.corpus.index.bytes;
  }

  /** Over the time spent in steps; 0 before the first. */
  get tokensPerSecond(): number {
    return this.#rate.mean;
  }

  /** Has the loader fill chunks, and counts what it read. */
  readonly fill = async (requests: readonly FillRequest[]): Promise<readonly FillOutcome[]> => {
    const outcomes = await this.#parts.corpus.loader.calls.fill(requests);
    for (const outcome of outcomes) if ('bytes' in outcome) this.#bytesRead += outcome.bytes;
    return outcomes;
  };

  /**
   * Notes a step, and how gradients flowed in it where that was looked at, to be told by `tellSteps`. Returns what the observer is
   * told of it.
   */
  step(outcome: StepOutcome, times: StepTimes, gradients?: GradientsRecord['layers']): StepReport {
    const { step, epoch, tokens } = this.#progress;
    const { loss, gradNorm, clipScale } = outcome;
    const { learningRate: lr, seconds } = times;
    const tokensPerSecond = this.#rate.add(this.#progress.tokensOf(1), seconds);
    const secondsLeft = this.#progress.secondsLeft(tokensPerSecond);
    const { totalSteps } = this.#parts.shape;
    const report: StepReport = {
      ...{ step, epoch, tokens, loss, gradNorm, clipScale, lr },
      ...{ seconds, totalSteps, tokensPerSecond, secondsLeft },
    };
    this.#untold.push({
      ...{ report, outcome, times, gradients },
      busySeconds: times.isLast ? this.#busy.take() : this.#busy.takeOf(outcome),
      totalBusySeconds: this.#busy.total,
      betweenSeconds: this.#takeBetween(),
    });
    return report;
  }

  get hasUntold(): boolean {
    return this.#untold.length > 0;
  }

  /** Steps wait to be told that the next ones should not wait with: many, or after a while in which none was told. */
  get mustTell(): boolean {
    if (this.#untold.length + MAX_STEPS_AT_ONCE > MAX_UNTOLD) return true;
    return this.hasUntold && performance.now() - this.#lastTold >= TELL_MILLISECONDS;
  }

  /**
   * Logs and records the steps that have not been, together: done once for all, on warm caches, it takes a fraction of the time
   * that it takes after each step, and that is a core's, which the pool would use.
   */
  tellSteps(): void {
    const steps = this.#untold;
    if (steps.length === 0) return;
    this.#untold = [];
    this.#lastTold = performance.now();
    this.#journal.append('steps', steps.map(stepLine));
    this.#journal.append('timings', steps.map(timingLine));
    this.#parts.recorder.recordPendingLogs(this.#journal.pendingBytes);
    for (const step of steps) this.#record(step);
    this.threads();
  }

  #record({ report, outcome, times, totalBusySeconds, gradients }: UntoldStep): void {
    const { step, epoch, tokens, loss, gradNorm, clipScale, lr } = report;
    const { tokensPerSecond, secondsLeft } = report;
    this.#parts.recorder.recordStep({
      ...{ step, epoch, tokens, loss, gradNorm, clipScale, lr, tokensPerSecond, secondsLeft },
      stepTokens: this.#progress.tokensOf(1),
      phaseSeconds: phaseSecondsOf(outcome, times),
      busySeconds: totalBusySeconds,
      tasks: outcome.tasks,
      ringFilled: times.ringFilled,
      bytesRead: this.#bytesRead,
    });
    if (gradients) this.#gradients({ step, layers: gradients });
  }

  /** A validation, already noted in the progress. */
  evaluation(loss: number, best: boolean, seconds: number): void {
    const { recorder, observer } = this.#parts;
    const { step, epoch, tokens, bestLoss } = this.#progress;
    const line = { step, epoch, tokens, loss };
    this.#journal.append('evals', [line]);
    recorder.recordEvaluation({ step, loss, bestLoss: bestLoss ?? Number.NaN, seconds });
    this.#addBetween('evaluate', seconds);
    this.threads();
    const report: EvaluationReport = { best, seconds, ...line };
    observer.onEvaluation?.(report);
  }

  #gradients(record: GradientsRecord): void {
    this.#journal.append('gradients', [record]);
    this.#parts.recorder.recordGradients(record);
  }

  sample(text: string): void {
    const { recorder, observer } = this.#parts;
    const sample = { step: this.#progress.step, text };
    this.#journal.append('samples', [sample]);
    recorder.recordSample(sample);
    observer.onSample?.(sample);
  }

  /** Counts the time of what is not part of a step. */
  async time<Result>(phase: Phase, work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    this.#parts.recorder.recordPhase(phase, seconds);
    this.#addBetween(phase, seconds);
    return result;
  }

  /** After all steps: what has come since the last one has a line of its own, in which the last snapshot cannot be. */
  end(): void {
    const betweenSeconds = this.#takeBetween();
    if (!betweenSeconds) return;
    const { step } = this.#progress;
    const busySeconds = this.#busy.take();
    this.#journal.append('timings', [
      { step, seconds: 0, phaseSeconds: {}, busySeconds, betweenSeconds },
    ]);
  }

  threads(): void {
    const { engine, corpus, recorder, serverRestarts } = this.#parts;
    const { counters, busySeconds, threadIds } = engine.pool;
    recorder.recordPool({
      busySeconds: [...busySeconds],
      workers: threadIds.length,
      actorRestarts: {
        loader: corpus.loader.restarts,
        writer: this.#writerRestarts(),
        server: serverRestarts(),
      },
      ...counters,
    });
  }

  #addBetween(phase: Phase, seconds: number): void {
    this.#betweenSeconds[phase] = (this.#betweenSeconds[phase] ?? 0) + seconds;
  }

  /** undefined where nothing has come. */
  #takeBetween(): BetweenSeconds | undefined {
    const betweenSeconds = this.#betweenSeconds;
    if (Object.keys(betweenSeconds).length === 0) return;
    this.#betweenSeconds = {};
    return betweenSeconds;
  }
}

/** A line of steps.ndjson: what is the same to the byte however the run was cut or computed. */
function stepLine({ report }: UntoldStep): object {
  const { step, epoch, tokens, loss, gradNorm, clipScale, lr } = report;
  return { step, epoch, tokens, loss, gradNorm, clipScale, lr };
}

/** A line of timings.ndjson. */
function timingLine({ report, outcome, times, busySeconds, betweenSeconds }: UntoldStep): object {
  const { step, seconds } = report;
  const phaseSeconds = phaseSecondsOf(outcome, times);
  return { step, seconds, phaseSeconds, busySeconds, betweenSeconds };
}

function phaseSecondsOf(outcome: StepOutcome, { loadSeconds }: StepTimes) {
  return { load: loadSeconds, ...outcome.phaseSeconds };
}
