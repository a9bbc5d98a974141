/** Tells the logs, the recorder and the observer of a run what happened in it. */
import type { StepOutcome } from '../coordinator/coordinator.ts';
import { MAX_BUSY_SHARES } from '../live/points.ts';
import type { Phase } from '../metrics/catalogue.ts';
import { RateMeter } from '../metrics/rate-meter.ts';
import type { GradientsRecord } from '../metrics/records.ts';
import type { FillOutcome, FillRequest } from '../pool/actor-protocol.ts';
import type { EvaluationReport, StepReport } from './reports.ts';
import type { RunJournal } from './run-journal.ts';
import type { RunProgress } from './run-progress.ts';
import type { TrainingParts } from './training-parts.ts';

/** What a step was, beside its outcome. */
export interface StepTimes {
  learningRate: number;
  /** Wall time of the step, and of it the time its chunk was waited for. */
  seconds: number;
  loadSeconds: number;
  /** Chunks in the ring at its end. */
  ringFilled: number;
}

export class RunTelemetry {
  readonly #parts: TrainingParts;
  readonly #progress: RunProgress;
  readonly #journal: RunJournal;
  readonly #writerRestarts: () => number;
  readonly #rate = new RateMeter();
  /** Busy seconds of each worker up to the last line that tells of them. */
  #busyBefore: readonly number[] = [];
  /** Time of what has come since the last step, by phase. */
  #betweenSeconds: Partial<Record<Phase, number>> = {};
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

  /** What the observer is told of a step, and what logs and records it, to be called before the progress goes on. */
  step(outcome: StepOutcome, times: StepTimes): { report: StepReport; record: () => void } {
    const { shape } = this.#parts;
    const { step, epoch, tokens } = this.#progress;
    const { loss, gradNorm, clipScale } = outcome;
    const line = { step, epoch, tokens, loss, gradNorm, clipScale, lr: times.learningRate };
    const tokensPerSecond = this.#rate.add(this.#progress.tokensOf(1), times.seconds);
    const secondsLeft = this.#progress.secondsLeft(tokensPerSecond);
    const rates = { tokensPerSecond, secondsLeft };
    const { totalSteps } = shape;
    const report: StepReport = { seconds: times.seconds, totalSteps, ...rates, ...line };
    // Before the threads do any more.
    const busySeconds = this.#takeBusy();
    return { report, record: () => this.#recordStep(report, outcome, { ...times, busySeconds }) };
  }

  #recordStep(
    { step, epoch, tokens, lr, tokensPerSecond, secondsLeft }: StepReport,
    outcome: StepOutcome,
    { seconds, loadSeconds, ringFilled, busySeconds }: StepTimes & { busySeconds: number[] },
  ): void {
    const { recorder } = this.#parts;
    const { loss, gradNorm, clipScale, tasks } = outcome;
    const line = { step, epoch, tokens, loss, gradNorm, clipScale, lr };
    const phaseSeconds = { load: loadSeconds, ...outcome.phaseSeconds };
    this.#journal.append('steps', line);
    this.#journal.append('timings', {
      ...{ step, seconds, phaseSeconds, busySeconds },
      ...this.#takeBetween(),
    });
    recorder.recordPendingLogs(this.#journal.pendingBytes);
    this.threads();
    recorder.recordStep({
      ...{ tasks, ringFilled, phaseSeconds, bytesRead: this.#bytesRead },
      ...{ stepTokens: this.#progress.tokensOf(1), tokensPerSecond, secondsLeft },
      ...line,
    });
  }

  /** A validation, already noted in the progress. */
  evaluation(loss: number, best: boolean, seconds: number): void {
    const { recorder, observer } = this.#parts;
    const { step, epoch, tokens, bestLoss } = this.#progress;
    const line = { step, epoch, tokens, loss };
    this.#journal.append('evals', line);
    recorder.recordEvaluation({ step, loss, bestLoss: bestLoss ?? Number.NaN, seconds });
    this.#addBetween('evaluate', seconds);
    this.threads();
    const report: EvaluationReport = { best, seconds, ...line };
    observer.onEvaluation?.(report);
  }

  gradients(layers: GradientsRecord['layers']): void {
    const record: GradientsRecord = { step: this.#progress.step, layers };
    this.#journal.append('gradients', record);
    this.#parts.recorder.recordGradients(record);
  }

  sample(text: string): void {
    const { recorder, observer } = this.#parts;
    const sample = { step: this.#progress.step, text };
    this.#journal.append('samples', sample);
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
    const between = this.#takeBetween();
    if (!between) return;
    const { step } = this.#progress;
    const busySeconds = this.#takeBusy();
    this.#journal.append('timings', {
      ...{ step, seconds: 0, phaseSeconds: {}, busySeconds },
      ...between,
    });
  }

  threads(): void {
    const { engine, corpus, recorder, serverRestarts } = this.#parts;
    const { counters, busySeconds, threadIds } = engine.pool;
    recorder.recordPool({
      busySeconds,
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

  /** Since the last line, to the microsecond; of the first workers, as many as are shown. */
  #takeBusy(): number[] {
    const before = this.#busyBefore;
    this.#busyBefore = this.#parts.engine.pool.busySeconds.slice(0, MAX_BUSY_SHARES);
    return this.#busyBefore.map(
      (seconds, worker) => Math.round(1e6 * (seconds - (before[worker] ?? 0))) / 1e6,
    );
  }

  /** As a line of the timings has it; undefined where nothing has come. */
  #takeBetween(): { betweenSeconds: Partial<Record<Phase, number>> } | undefined {
    const betweenSeconds = this.#betweenSeconds;
    if (Object.keys(betweenSeconds).length === 0) return;
    this.#betweenSeconds = {};
    return { betweenSeconds };
  }
}
