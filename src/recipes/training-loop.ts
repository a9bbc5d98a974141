/** The loop of a run: steps, validations and checkpoints, until the end, the time limit or the signal. */
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import { writeFailure } from '../checkpoint/failure-note.ts';
import { evaluateStreams } from '../coordinator/evaluation.ts';
import { ChunkFeed, type FedChunk } from '../coordinator/feed.ts';
import {
  type LayerProbe,
  type ProbeSource,
  probeGradients,
} from '../coordinator/gradient-probe.ts';
import { chunkWindow } from '../data/streams.ts';
import { Vocabulary } from '../data/vocabulary.ts';
import { messageOf, NotFiniteError } from '../errors.ts';
import { publicReason } from './public-reason.ts';
import type { TrainResult } from './reports.ts';
import { snapshotTensors } from './restore.ts';
import { RunJournal } from './run-journal.ts';
import { checkpointState, trainResult } from './run-outcome.ts';
import { isDue, RunProgress } from './run-progress.ts';
import { RunTelemetry } from './run-telemetry.ts';
import type { TrainingParts } from './training-parts.ts';

export class TrainingLoop {
  readonly #parts: TrainingParts;
  readonly #progress: RunProgress;
  readonly #journal: RunJournal;
  readonly #checkpointer: Checkpointer;
  readonly #telemetry: RunTelemetry;

  constructor(parts: TrainingParts) {
    const { progress, folder, config, shape, observer } = parts;
    this.#parts = parts;
    this.#progress = new RunProgress(config, shape, progress);
    this.#journal = new RunJournal(folder, progress.logBytes, (message) =>
      observer.onWarning?.(message),
    );
    this.#checkpointer = this.#createCheckpointer();
    this.#telemetry = new RunTelemetry(
      parts,
      this.#progress,
      this.#journal,
      () => this.#checkpointer.restarts,
    );
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
      return this.#result(!this.#progress.complete && (signal?.aborted ?? false));
    } catch (error) {
      if (!signal?.aborted) this.#noteFailure(error);
      throw error;
    } finally {
      this.#telemetry.threads();
      this.#parts.recorder.recordEnd();
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
      // Where the run was stopped before them.
      if (progress.sampleDue) await this.#sample();
      if (progress.evaluationDue) await this.#evaluate(signal);
      while (!progress.finished && !signal?.aborted) {
        const fed = await feed.next();
        if (!fed) return;
        await this.#trainStep(feed, fed);
        this.#checkpointer.check();
        if (progress.sampleDue) await this.#sample();
        if (progress.evaluationDue) await this.#evaluate(signal);
        if (progress.checkpointDue) await this.#save({ wait: false, best: false });
      }
      if (!signal?.aborted) await this.#evaluate(signal);
      progress.complete = progress.finished && !signal?.aborted;
    } catch (error) {
      if (error instanceof NotFiniteError) this.#parts.recorder.recordNotFinite();
      await this.#saveAfter(error);
    } finally {
      await feed.close();
    }
    // Before the last checkpoint, which counts the lines that stay.
    this.#telemetry.end();
    await this.#saveLast();
  }

  /** The chunks of all steps to come: the loader works while the pool computes. */
  #feed(): ChunkFeed<number> {
    const { shape, plan } = this.#parts;
    const { ring } = plan.layout;
    return new ChunkFeed(this.#progress.chunksToCome(), ring.length, (chunk, slot) => {
      const { start, times } = chunkWindow(shape.training, chunk);
      return this.#telemetry.fill({ start, times, ...shape.trainingSource, ...ring[slot] });
    });
  }

  async #trainStep(feed: ChunkFeed<number>, fed: FedChunk<number>): Promise<void> {
    const { config, engine } = this.#parts;
    const { chunk, slot, waitSeconds } = fed;
    const progress = this.#progress;
    const started = performance.now();
    const { learningRate } = progress;
    const source = { slot, fromZero: chunk === 0 };
    const { clipNorm } = config;
    const outcome = await engine.coordinator.step({ learningRate, clipNorm, ...source });
    const seconds = waitSeconds + (performance.now() - started) / 1000;
    const gradients = isDue(progress.step + 1, config.gradientsEvery)
      ? await this.#probe(source)
      : undefined;
    progress.step++;
    progress.lastLoss = outcome.loss;
    const ringFilled = 1 + feed.readyAhead;
    this.#telemetry.step(outcome, { learningRate, seconds, loadSeconds: waitSeconds, ringFilled });
    if (gradients) this.#telemetry.gradients(gradients);
  }

  /** A step whose gradients cannot be looked at is taken back: else a resumed run would not have its line of them. */
  async #probe(source: ProbeSource): Promise<LayerProbe[]> {
    const { engine, plan } = this.#parts;
    try {
      return await this.#telemetry.time('gradients', () => probeGradients(plan, engine, source));
    } catch (error) {
      engine.coordinator.generation--;
      throw error;
    }
  }

  /** Draws text from the model as it is. */
  async #sample(): Promise<void> {
    const { corpus, config, engine } = this.#parts;
    const vocabulary = new Vocabulary(corpus.index.tokens, corpus.index.vocabulary);
    const ids = await this.#telemetry.time('sample', () =>
      engine.coordinator.sample(vocabulary.firstId, config.sampleLength!),
    );
    this.#progress.sampledStep = this.#progress.step;
    this.#telemetry.sample(vocabulary.decode(ids));
  }

  /** Validates, unless the step has been validated already or there is no text for it. */
  async #evaluate(signal?: AbortSignal): Promise<void> {
    const { shape, engine, plan, recorder } = this.#parts;
    const { step, evaluatedStep } = this.#progress;
    if (!shape.evaluation || evaluatedStep === step) return;
    recorder.recordEvaluationBegin();
    const outcome = await evaluateStreams(
      {
        fill: this.#telemetry.fill,
        coordinator: engine.coordinator,
        layout: plan.layout,
        spans: plan.evaluation,
        ...shape.evaluation,
      },
      signal,
    );
    if (!outcome) return;
    const { loss, seconds } = outcome;
    const best = this.#progress.evaluated(loss);
    this.#telemetry.evaluation(loss, best, seconds);
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

  /** For a report of the run. */
  #noteFailure(error: unknown): void {
    const { folder, config } = this.#parts;
    const message = publicReason(error, config);
    try {
      folder.checkOwned();
      writeFailure(folder.path, { step: this.#progress.step, message });
    } catch {
      // The folder is another's, or cannot be written: the error itself is told all the same.
    }
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
    let taken = false;
    try {
      taken = await this.#checkpointer.save({ state, best, wait });
    } finally {
      if (!taken) progress.savedStep = before;
    }
  }

  #createCheckpointer(): Checkpointer {
    const { folder, config, engine, plan, recorder, observer } = this.#parts;
    return new Checkpointer({
      folder: folder.checkpoints,
      lock: folder.claim,
      keep: config.keep,
      memory: engine.memory,
      tensors: snapshotTensors(plan.table, plan.layout),
      limitSeconds: config.workerTimeout,
      onWarning: (message) => observer.onWarning?.(message),
      logs: () => this.#journal.toSync(),
      snapshot: () => this.#telemetry.time('snapshot', () => engine.coordinator.snapshot()),
      onWritten: (checkpoint) => {
        this.#progress.newestCheckpoint = checkpoint.path;
        recorder.recordCheckpoint(checkpoint);
        observer.onCheckpoint?.(checkpoint);
      },
      onFailed: (step, error) => {
        folder.doubtOwned();
        this.#progress.savedStep = -1;
        recorder.recordCheckpointFailure();
        this.#journal.fail(
          `The checkpoint of step ${step} could not be written: ${messageOf(error)}`,
        );
      },
      onRefused: (error) => {
        recorder.recordCheckpointFailure();
        this.#journal.fail(`No checkpoint is written until the thread ends: ${messageOf(error)}`);
      },
      onSkipped: () => recorder.recordCheckpointSkipped(),
    });
  }

  #result(interrupted: boolean): TrainResult {
    this.#journal.flush();
    return trainResult(this.#parts, this.#progress, {
      tokensPerSecond: this.#telemetry.tokensPerSecond,
      interrupted,
      failures: this.#journal.failures,
    });
  }
}
