/** The loop of a run: steps, validations and checkpoints, until the end, the time limit or the signal. */
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import type { CheckpointState } from '../checkpoint/header.ts';
import { parametersSha256 } from '../checkpoint/parameters-hash.ts';
import type { RunFolder, RunLogs } from '../checkpoint/run-folder.ts';
import type { Config } from '../config/config.ts';
import type { StepOutcome } from '../coordinator/coordinator.ts';
import type { Engine, EnginePlan } from '../coordinator/engine.ts';
import { evaluateStreams } from '../coordinator/evaluation.ts';
import { ChunkFeed, type FedChunk } from '../coordinator/feed.ts';
import type { Corpus } from '../data/corpus.ts';
import { chunkWindow } from '../data/streams.ts';
import { messageOf } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { RateMeter } from '../metrics/rate-meter.ts';
import { learningRate } from '../optimizer/schedule.ts';
import { WorkerTimes } from '../pool/worker-times.ts';
import { VERSION } from '../version.ts';
import type { EvaluationReport, StepReport, TrainObserver, TrainResult } from './reports.ts';
import { type Progress, snapshotTensors } from './restore.ts';
import type { RunShape } from './run-plan.ts';

export interface TrainingParts {
  config: Config;
  corpus: Corpus;
  shape: RunShape;
  plan: EnginePlan;
  engine: Engine;
  folder: RunFolder;
  metrics: Metrics;
  observer: TrainObserver;
  progress: Progress;
}

export class TrainingLoop {
  readonly #parts: TrainingParts;
  readonly #logs: RunLogs;
  readonly #checkpointer: Checkpointer;
  readonly #workerTimes: WorkerTimes;
  readonly #rate = new RateMeter();
  readonly #started = performance.now();
  readonly #failures = new Set<string>();
  /** Steps done; the chunk, the epoch and the tokens follow from it. */
  #step: number;
  #lastLoss: number | null;
  #lastEvalLoss: number | null;
  #bestLoss: number | null;
  #evaluatedStep: number | null;
  #savedStep: number;
  #newestCheckpoint: string | null;
  /** Trained to the end and validated. */
  #complete: boolean;

  constructor(parts: TrainingParts) {
    const { progress, folder, config } = parts;
    this.#parts = parts;
    this.#logs = folder.openLogs(progress.logBytes ?? { steps: 0, timings: 0, evals: 0 });
    this.#checkpointer = this.#createCheckpointer();
    this.#workerTimes = new WorkerTimes(config.workers);
    this.#step = progress.step;
    this.#lastLoss = progress.lastLoss;
    this.#lastEvalLoss = progress.lastEvalLoss;
    this.#bestLoss = progress.bestLoss;
    this.#evaluatedStep = progress.evaluatedStep;
    this.#savedStep = progress.checkpoint === null ? -1 : progress.step;
    this.#newestCheckpoint = progress.checkpoint;
    this.#complete = progress.finished && this.#finished();
  }

  /**
   * Trains to the end. Throws TrainingError where a step cannot be done; the state before it is then saved. An aborted signal
   * ends the loop after the step at hand.
   */
  async run(signal?: AbortSignal): Promise<TrainResult> {
    try {
      if (this.#complete) return this.#result(false);
      await this.#parts.engine.coordinator.packWeights();
      if (this.#step === 0) await this.#begin(signal);
      await this.#trainToEnd(signal);
      return this.#result(signal?.aborted ?? false);
    } finally {
      this.#recordThreads();
      await this.#checkpointer.close();
      for (const log of Object.values(this.#logs)) log.close();
    }
  }

  /** A new run is saved and validated before its first step. */
  async #begin(signal?: AbortSignal): Promise<void> {
    await this.#save({ wait: true, best: false });
    await this.#evaluate(signal);
  }

  async #trainToEnd(signal?: AbortSignal): Promise<void> {
    const feed = this.#feed();
    try {
      // Where the run was stopped before it.
      if (this.#evaluationDue()) await this.#evaluate(signal);
      while (!this.#finished() && !signal?.aborted) {
        const fed = await feed.next();
        if (!fed) return;
        await this.#trainStep(fed);
        this.#checkpointer.check();
        if (this.#evaluationDue()) await this.#evaluate(signal);
        if (this.#checkpointDue()) await this.#save({ wait: false, best: false });
      }
      if (!signal?.aborted) await this.#evaluate(signal);
      this.#complete = this.#finished() && !signal?.aborted;
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
    return new ChunkFeed(this.#chunksToCome(), ring.length, (chunk, slot) =>
      corpus.loader.calls.fill({
        ...shape.trainingSource,
        ...chunkWindow(shape.training, chunk),
        ...ring[slot],
      }),
    );
  }

  *#chunksToCome(): Generator<number> {
    const { shape } = this.#parts;
    for (let step = this.#step; step < shape.totalSteps; step++) yield step % shape.training.chunks;
  }

  async #trainStep({ chunk, slot, waitSeconds }: FedChunk<number>): Promise<void> {
    const { config, engine } = this.#parts;
    const started = performance.now();
    const lr = this.#learningRate();
    const outcome = await engine.coordinator.step({
      slot,
      fromZero: chunk === 0,
      learningRate: lr,
      clipNorm: config.clipNorm,
    });
    this.#step++;
    this.#lastLoss = outcome.loss;
    const seconds = waitSeconds + (performance.now() - started) / 1000;
    this.#report(outcome, lr, waitSeconds, seconds);
  }

  #report(outcome: StepOutcome, lr: number, waitSeconds: number, seconds: number): void {
    const { metrics, observer, shape } = this.#parts;
    const { loss, gradNorm, clipScale } = outcome;
    const tokens = this.#tokensOf(1);
    const line = {
      step: this.#step,
      epoch: this.#epochOf(this.#step),
      tokens: this.#tokensOf(this.#step),
      loss,
      gradNorm,
      clipScale,
      lr,
    };
    const phaseSeconds = { load: waitSeconds, ...outcome.phaseSeconds };
    const tokensPerSecond = this.#rate.add(tokens, seconds);
    this.#append('steps', line);
    this.#append('timings', { step: this.#step, seconds, phaseSeconds });
    metrics.recordPendingLogs(this.#pendingLogBytes());
    metrics.recordStep({ ...line, tokens, tokensPerSecond, phaseSeconds });
    this.#recordBusy(outcome);
    const { totalSteps } = shape;
    const secondsLeft = this.#secondsLeft(tokensPerSecond);
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
    const { engine, corpus, metrics } = this.#parts;
    metrics.recordPool({
      ...engine.pool.counters,
      workers: engine.pool.threadIds.length,
      busySeconds: this.#workerTimes.seconds,
      actorRestarts: { loader: corpus.loader.restarts, writer: this.#checkpointer.restarts },
    });
  }

  /** Validates, unless the step has been validated already or there is no text for it. */
  async #evaluate(signal?: AbortSignal): Promise<void> {
    const { shape, engine, plan, corpus, metrics, observer } = this.#parts;
    if (!shape.evaluation || this.#evaluatedStep === this.#step) return;
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
    const best = this.#bestLoss === null || loss < this.#bestLoss;
    this.#evaluatedStep = this.#step;
    this.#lastEvalLoss = loss;
    if (best) this.#bestLoss = loss;
    const line = {
      step: this.#step,
      epoch: this.#epochOf(this.#step),
      tokens: this.#tokensOf(this.#step),
      loss,
    };
    this.#append('evals', line);
    metrics.recordEvaluation({ loss, bestLoss: this.#bestLoss!, seconds });
    this.#recordThreads();
    const report: EvaluationReport = { ...line, best, seconds };
    observer.onEvaluation?.(report);
    if (this.#step > 0) await this.#save({ wait: false, best });
  }

  /** Saves the state before a step that failed, and throws what made it fail even where the saving fails too. */
  async #saveAfter(error: unknown): Promise<never> {
    try {
      await this.#saveLast();
    } catch (saving) {
      this.#fail(`The state of step ${this.#step} could not be saved: ${messageOf(saving)}`);
    }
    throw error;
  }

  /** However the loop ends, its last state is saved; that of a complete run says so. */
  async #saveLast(): Promise<void> {
    await this.#checkpointer.settled();
    if (this.#savedStep === this.#step && !this.#complete) return;
    await this.#save({ wait: true, best: false });
  }

  async #save({ wait, best }: { wait: boolean; best: boolean }): Promise<void> {
    const before = this.#savedStep;
    // Set first, because a failure to write, reported while `save` waits, takes it back.
    this.#savedStep = this.#step;
    const taken = await this.#checkpointer.save({ state: this.#state(), best, wait });
    if (!taken) this.#savedStep = before;
  }

  #createCheckpointer(): Checkpointer {
    const { folder, config, engine, plan, metrics, observer } = this.#parts;
    return new Checkpointer({
      folder: folder.checkpoints,
      keep: config.keep,
      memory: engine.memory,
      tensors: snapshotTensors(plan.table, plan.layout),
      limitSeconds: config.workerTimeout,
      onWarning: (message) => observer.onWarning?.(message),
      syncLogs: async () => {
        await Promise.all([this.#logs.steps.sync(), this.#logs.evals.sync()]);
      },
      snapshot: () => engine.coordinator.snapshot(),
      onWritten: (checkpoint) => {
        this.#newestCheckpoint = checkpoint.path;
        metrics.recordCheckpoint(checkpoint);
        observer.onCheckpoint?.(checkpoint);
      },
      onFailed: (step, error) => {
        this.#savedStep = -1;
        metrics.recordCheckpointFailure();
        this.#fail(`The checkpoint of step ${step} could not be written: ${messageOf(error)}`);
      },
      onSkipped: () => metrics.recordCheckpointSkipped(),
    });
  }

  #state(): CheckpointState {
    const { config, corpus, plan, shape } = this.#parts;
    const { index } = corpus;
    const { backend, variant } = plan.request.kernels;
    const files = (side: typeof index.train) => side.map(({ path, bytes }) => ({ path, bytes }));
    return {
      threadloom: VERSION,
      model: plan.request.spec,
      config: JSON.parse(JSON.stringify(config)),
      tokens: index.tokens,
      vocabulary: index.vocabulary,
      backend,
      variant,
      optimizer: config.optimizer,
      progress: {
        step: this.#step,
        epoch: this.#epochOf(this.#step),
        chunk: this.#step % shape.training.chunks,
        tokens: this.#tokensOf(this.#step),
        elapsedSeconds: this.#elapsedSeconds(),
        lastLoss: this.#lastLoss,
        bestLoss: this.#bestLoss,
        lastEvalLoss: this.#lastEvalLoss,
        evaluatedStep: this.#evaluatedStep,
        finished: this.#complete,
        logBytes: {
          steps: this.#logs.steps.bytes,
          timings: this.#logs.timings.bytes,
          evals: this.#logs.evals.bytes,
        },
      },
      corpus: {
        sha256: index.sha256,
        trainSymbols: index.trainSymbols,
        valSymbols: index.valSymbols,
        train: files(index.train),
        val: files(index.val),
      },
    };
  }

  #result(interrupted: boolean): TrainResult {
    const { config, plan, shape, engine, folder } = this.#parts;
    const { backend, variant } = plan.request.kernels;
    for (const log of Object.values(this.#logs)) {
      const error = log.flush();
      if (error) this.#fail(`${log.path} could not be written: ${error.message}`);
    }
    const evalLoss = this.#lastEvalLoss;
    return {
      run: folder.path,
      backend,
      variant,
      workers: config.workers,
      lanes: plan.lanes.length,
      parameters: plan.table.count,
      steps: this.#step,
      epochs: this.#step / shape.training.chunks,
      tokens: this.#tokensOf(this.#step),
      seconds: (performance.now() - this.#started) / 1000,
      tokensPerSecond: this.#rate.mean,
      trainLoss: this.#lastLoss,
      evalLoss,
      bestEvalLoss: this.#bestLoss,
      bitsPerToken: evalLoss === null ? null : evalLoss / Math.LN2,
      perplexity: evalLoss === null ? null : Math.exp(evalLoss),
      paramsSha256: parametersSha256(plan.table, engine.coordinator.parameters),
      checkpoint: this.#newestCheckpoint,
      interrupted,
      failures: [...this.#failures],
    };
  }

  #append(name: keyof RunLogs, line: object): void {
    const error = this.#logs[name].append(line);
    if (error) this.#fail(`${this.#logs[name].path} could not be written: ${error.message}`);
  }

  #pendingLogBytes(): number {
    return Object.values(this.#logs).reduce((sum, log) => sum + log.pendingBytes, 0);
  }

  /** Training goes on; the user hears of each failure once, and the run ends with an error. */
  #fail(message: string): void {
    if (!this.#failures.has(message)) this.#parts.observer.onWarning?.(message);
    this.#failures.add(message);
  }

  #learningRate(): number {
    const { config, shape } = this.#parts;
    const timeShare = config.maxMinutes ? this.#elapsedSeconds() / (60 * config.maxMinutes) : 0;
    return learningRate(config, this.#step, shape.horizon, timeShare);
  }

  #finished(): boolean {
    const { config, shape } = this.#parts;
    const timeUp = config.maxMinutes ? this.#elapsedSeconds() >= 60 * config.maxMinutes : false;
    return this.#step >= shape.totalSteps || timeUp;
  }

  #evaluationDue(): boolean {
    const every = this.#parts.config.evalEvery || this.#parts.shape.training.chunks;
    return this.#step % every === 0;
  }

  #checkpointDue(): boolean {
    const { checkpointEvery } = this.#parts.config;
    return (
      checkpointEvery > 0 && this.#step % checkpointEvery === 0 && this.#savedStep !== this.#step
    );
  }

  /** From 1; the epoch that the step belongs to. */
  #epochOf(step: number): number {
    return Math.max(1, Math.ceil(step / this.#parts.shape.training.chunks));
  }

  #tokensOf(steps: number): number {
    return steps * this.#parts.config.batch * this.#parts.config.chunk;
  }

  #secondsLeft(tokensPerSecond: number): number {
    const { config, shape } = this.#parts;
    const bySteps = this.#tokensOf(shape.totalSteps - this.#step) / tokensPerSecond;
    if (config.maxMinutes === undefined) return bySteps;
    return Math.max(0, Math.min(bySteps, 60 * config.maxMinutes - this.#elapsedSeconds()));
  }

  #elapsedSeconds(): number {
    return this.#parts.progress.elapsedSeconds + (performance.now() - this.#started) / 1000;
  }
}
