/** The loop of a run: steps, validations and checkpoints, until the end, the time limit or the signal. */
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import type { StepOutcome } from '../coordinator/coordinator.ts';
import { evaluateStreams } from '../coordinator/evaluation.ts';
import { ChunkFeed, type FedChunk } from '../coordinator/feed.ts';
import { chunkWindow } from '../data/streams.ts';
import { messageOf } from '../errors.ts';
import { RateMeter } from '../metrics/rate-meter.ts';
import { WorkerTimes } from '../pool/worker-times.ts';
import type { EvaluationReport, StepReport, TrainResult } from './reports.ts';
import { snapshotTensors } from './restore.ts';
import { RunJournal } from './run-journal.ts';
import { checkpointState, trainResult } from './run-outcome.ts';
import { RunProgress } from './run-progress.ts';
import type { TrainingParts } from './training-parts.ts';

export class TrainingLoop {
  readonly #parts: TrainingParts;
  readonly #progress: RunProgress;
  readonly #journal: RunJournal;
  readonly #checkpointer: Checkpointer;
  readonly #workerTimes: WorkerTimes;
  readonly #rate = new RateMeter();

  constructor(parts: TrainingParts) {
    const { progress, folder, config, shape, observer } = parts;
    this.#parts = parts;
    this.#progress = new RunProgress(config, shape, progress);
    this.#journal = new RunJournal(folder, progress.logBytes, (message) =>
      observer.onWarning?.(message),
    );
    this.#checkpointer = this.#createCheckpointer();
    this.#workerTimes = new WorkerTimes(config.workers);
  }

  /**
   * Trains to the end. Throws TrainingError where a step cannot be done; the state before it is then saved. An aborted signal
   * ends the loop after the step at hand.
   */
  async run(signal?: AbortSignal): Promise<TrainResult> {
    try {
      if (this.#progress.complete) return this.#result(false);
      await this.#parts.engine.coordinator.packWeights();
      if (this.#progress.step === 0) await this.#begin(signal);
      await this.#trainToEnd(signal);
      return this.#result(signal?.aborted ?? false);
    } finally {
      this.#recordThreads();
      await this.#checkpointer.close();
      this.#journal.close();
    }
  }

  /** A new run is saved and validated before its first step. */
  async #begin(signal?: AbortSignal): Promise<void> {
    await this.#save({ wait: true, best: false });
    await this.#evaluate(signal);
  }

  async #trainToEnd(signal?: AbortSignal): Promise<void> {
    const progress = this.#progress;
    const feed = this.#feed();
    try {
      // Where the run was stopped before it.
      if (progress.evaluationDue) await this.#evaluate(signal);
      while (!progress.finished && !signal?.aborted) {
        const fed = await feed.next();
        if (!fed) return;
        await this.#trainStep(fed);
        this.#checkpointer.check();
        if (progress.evaluationDue) await this.#evaluate(signal);
        if (progress.checkpointDue) await this.#save({ wait: false, best: false });
      }
      if (!signal?.aborted) await this.#evaluate(signal);
      progress.complete = progress.finished && !signal?.aborted;
    } catch (error) {
      await this.#saveAfter(error);
    } finally {
      await feed.close();
    }
    await this.#saveLast();
  }

  /** The chunks of all steps to come: the loader works while the pool computes. */
  #feed(): ChunkFeed<number> {
    const { shape, plan, corpus } = this.#parts;
    const { ring } = plan.layout;
    return new ChunkFeed(this.#progress.chunksToCome(), ring.length, (chunk, slot) =>
      corpus.loader.calls.fill({
        ...shape.trainingSource,
        ...chunkWindow(shape.training, chunk),
        ...ring[slot],
      }),
    );
  }

  async #trainStep({ chunk, slot, waitSeconds }: FedChunk<number>): Promise<void> {
    const { config, engine } = this.#parts;
    const progress = this.#progress;
    const started = performance.now();
    const lr = progress.learningRate;
    const outcome = await engine.coordinator.step({
      slot,
      fromZero: chunk === 0,
      learningRate: lr,
      clipNorm: config.clipNorm,
    });
    progress.step++;
    progress.lastLoss = outcome.loss;
    const seconds = waitSeconds + (performance.now() - started) / 1000;
    this.#report(outcome, lr, waitSeconds, seconds);
  }

  #report(outcome: StepOutcome, lr: number, waitSeconds: number, seconds: number): void {
    const { recorder, observer, shape } = this.#parts;
    const { step, epoch, tokens } = this.#progress;
    const { loss, gradNorm, clipScale } = outcome;
    const line = { step, epoch, tokens, loss, gradNorm, clipScale, lr };
    const phaseSeconds = { load: waitSeconds, ...outcome.phaseSeconds };
    const stepTokens = this.#progress.tokensOf(1);
    const tokensPerSecond = this.#rate.add(stepTokens, seconds);
    this.#journal.append('steps', line);
    this.#journal.append('timings', { step, seconds, phaseSeconds });
    recorder.recordPendingLogs(this.#journal.pendingBytes);
    const { totalSteps } = shape;
    const secondsLeft = this.#progress.secondsLeft(tokensPerSecond);
    this.#recordBusy(outcome);
    recorder.recordStep({ ...line, stepTokens, tokensPerSecond, secondsLeft, phaseSeconds });
    const report: StepReport = { ...line, seconds, tokensPerSecond, totalSteps, secondsLeft };
    observer.onStep?.(report);
  }

  #recordBusy({ busy }: StepOutcome): void {
    const { pool } = this.#parts.engine;
    for (const { threadId, seconds } of Object.values(busy).flat()) {
      this.#workerTimes.add(threadId, seconds, () => pool.threadIds);
    }
    this.#recordThreads();
  }

  #recordThreads(): void {
    const { engine, corpus, recorder } = this.#parts;
    recorder.recordPool({
      ...engine.pool.counters,
      workers: engine.pool.threadIds.length,
      busySeconds: this.#workerTimes.seconds,
      actorRestarts: { loader: corpus.loader.restarts, writer: this.#checkpointer.restarts },
    });
  }

  /** Validates, unless the step has been validated already or there is no text for it. */
  async #evaluate(signal?: AbortSignal): Promise<void> {
    const { shape, engine, plan, corpus, recorder, observer } = this.#parts;
    const { step, epoch, tokens, evaluatedStep } = this.#progress;
    if (!shape.evaluation || evaluatedStep === step) return;
    const { fill } = corpus.loader.calls;
    const outcome = await evaluateStreams(
      {
        ...shape.evaluation,
        fill,
        coordinator: engine.coordinator,
        layout: plan.layout,
        spans: plan.evaluation,
      },
      signal,
    );
    if (!outcome) return;
    const { loss, seconds } = outcome;
    const best = this.#progress.evaluated(loss);
    const line = { step, epoch, tokens, loss };
    this.#journal.append('evals', line);
    recorder.recordEvaluation({ step, loss, bestLoss: this.#progress.bestLoss!, seconds });
    this.#recordThreads();
    const report: EvaluationReport = { ...line, best, seconds };
    observer.onEvaluation?.(report);
    if (step > 0) await this.#save({ wait: false, best });
  }

  /** Saves the state before a step that failed, and throws what made it fail even where the saving fails too. */
  async #saveAfter(error: unknown): Promise<never> {
    try {
      await this.#saveLast();
    } catch (saving) {
      const { step } = this.#progress;
      this.#journal.fail(`The state of step ${step} could not be saved: ${messageOf(saving)}`);
    }
    throw error;
  }

  /** However the loop ends, its last state is saved; that of a complete run says so. */
  async #saveLast(): Promise<void> {
    const progress = this.#progress;
    await this.#checkpointer.settled();
    if (progress.savedStep === progress.step && !progress.complete) return;
    await this.#save({ wait: true, best: false });
  }

  async #save({ wait, best }: { wait: boolean; best: boolean }): Promise<void> {
    const progress = this.#progress;
    const before = progress.savedStep;
    // Set first, because a failure to write, reported while `save` waits, takes it back.
    progress.savedStep = progress.step;
    const state = checkpointState(this.#parts, progress, this.#journal.sizes);
    const taken = await this.#checkpointer.save({ state, best, wait });
    if (!taken) progress.savedStep = before;
  }

  #createCheckpointer(): Checkpointer {
    const { folder, config, engine, plan, recorder, observer } = this.#parts;
    return new Checkpointer({
      folder: folder.checkpoints,
      keep: config.keep,
      memory: engine.memory,
      tensors: snapshotTensors(plan.table, plan.layout),
      limitSeconds: config.workerTimeout,
      onWarning: (message) => observer.onWarning?.(message),
      syncLogs: () => this.#journal.sync(),
      snapshot: () => engine.coordinator.snapshot(),
      onWritten: (checkpoint) => {
        this.#progress.newestCheckpoint = checkpoint.path;
        recorder.recordCheckpoint(checkpoint);
        observer.onCheckpoint?.(checkpoint);
      },
      onFailed: (step, error) => {
        this.#progress.savedStep = -1;
        recorder.recordCheckpointFailure();
        this.#journal.fail(
          `The checkpoint of step ${step} could not be written: ${messageOf(error)}`,
        );
      },
      onSkipped: () => recorder.recordCheckpointSkipped(),
    });
  }

  #result(interrupted: boolean): TrainResult {
    this.#journal.flush();
    return trainResult(this.#parts, this.#progress, {
      tokensPerSecond: this.#rate.mean,
      interrupted,
      failures: this.#journal.failures,
    });
  }
}
