/** The loop of a run: steps, validations and checkpoints, until the end, the time limit or the signal. */
import type { StepOutcome } from '../coordinator/coordinator.ts';
import { evaluateStreams } from '../coordinator/evaluation.ts';
import { ChunkFeed, type FedChunk, fillRequests } from '../coordinator/feed.ts';
import {
  type LayerProbe,
  type ProbeSource,
  probeGradients,
} from '../coordinator/gradient-probe.ts';
import type { StepRequest } from '../coordinator/step-tasks.ts';
import { Vocabulary } from '../data/vocabulary.ts';
import { NotFiniteError } from '../errors.ts';
import type { StepReport, TrainResult } from './reports.ts';
import { RunJournal } from './run-journal.ts';
import { trainResult } from './run-outcome.ts';
import { isDue, RunProgress } from './run-progress.ts';
import { RunSaver } from './run-saver.ts';
import { RunTelemetry } from './run-telemetry.ts';
import { StepRequests } from './step-requests.ts';
import { StepTeller } from './step-teller.ts';
import type { TrainingParts } from './training-parts.ts';

interface HappenedStep {
  outcome: StepOutcome;
  request: StepRequest;
  /** For which its chunk was waited, and chunks in the ring at its end. */
  loadSeconds: number;
  ringFilled: number;
  /** Of those that were given out together. */
  isLast: boolean;
}

export class TrainingLoop {
  readonly #parts: TrainingParts;
  readonly #progress: RunProgress;
  readonly #journal: RunJournal;
  readonly #telemetry: RunTelemetry;
  readonly #saver: RunSaver;
  readonly #requests: StepRequests;
  readonly #teller: StepTeller;

  constructor(parts: TrainingParts) {
    const { progress, folder, config, shape, observer } = parts;
    this.#parts = parts;
    this.#progress = new RunProgress(config, shape, progress);
    this.#requests = new StepRequests(this.#progress, config.clipNorm, parts.mostAtOnce);
    this.#journal = new RunJournal(folder, progress.logBytes, (message) =>
      observer.onWarning?.(message),
    );
    this.#telemetry = new RunTelemetry(
      parts,
      this.#progress,
      this.#journal,
      () => this.#saver.restarts,
    );
    this.#teller = new StepTeller(this.#telemetry);
    this.#saver = new RunSaver(parts, this.#progress, this.#journal, this.#telemetry);
  }

  /**
   * Trains to the end. Throws TrainingError where a step cannot be done; the state before it is then saved. An aborted signal
   * ends the loop after the steps at hand. To be closed then.
   */
  async run(signal?: AbortSignal): Promise<TrainResult> {
    try {
      if (this.#progress.complete) return this.#result(false);
      await this.#parts.engine.coordinator.packWeights();
      if (this.#progress.step === 0) await this.#begin(signal);
      await this.#trainToEnd(signal);
      return this.#result(!this.#progress.complete && (signal?.aborted ?? false));
    } catch (error) {
      this.#saver.noteFailure(error);
      throw error;
    } finally {
      this.#telemetry.threads();
      this.#parts.recorder.recordEnd();
    }
  }

  /** Waits for the checkpoint under way, ends its writer and closes the logs; also of a loop that never ran. */
  async close(): Promise<void> {
    await this.#saver.close();
    this.#journal.close();
  }

  /** A new run is saved and validated before its first step. */
  async #begin(signal?: AbortSignal): Promise<void> {
    await this.#saver.save({ wait: true });
    this.#saver.check();
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
        if (feed.readyAhead === 0) this.#teller.tellSoon();
        const fed = await feed.next(this.#requests.wanted);
        if (fed.length === 0) break;
        await this.#trainSteps(feed, fed);
        this.#saver.check();
        if (progress.somethingDue) this.#teller.tellNow();
        this.#teller.rethrow();
        if (progress.sampleDue) await this.#sample();
        if (progress.evaluationDue) await this.#evaluate(signal);
        if (progress.checkpointDue) await this.#saver.save({ wait: false });
      }
      this.#teller.tellNow();
      this.#teller.rethrow();
      if (!signal?.aborted) await this.#evaluate(signal);
      progress.complete = progress.finished && !signal?.aborted;
    } catch (error) {
      this.#teller.tellNow();
      if (error instanceof NotFiniteError) this.#parts.recorder.recordNotFinite();
      await this.#saver.saveAfter(error);
    } finally {
      await feed.close();
    }
    // Before the last checkpoint, which counts the lines that stay.
    this.#telemetry.end();
    await this.#saver.saveLast();
    this.#saver.check();
  }

  /** The chunks of all steps to come: the loader works while the pool computes. */
  #feed(): ChunkFeed<number> {
    const { shape, plan } = this.#parts;
    const { ring } = plan.layout;
    return new ChunkFeed(this.#progress.chunksToCome(), ring.length, (wanted) =>
      this.#telemetry.fill(fillRequests(wanted, shape.training, shape.trainingSource, ring)),
    );
  }

  /** The steps of these chunks. */
  async #trainSteps(feed: ChunkFeed<number>, fed: readonly FedChunk<number>[]): Promise<void> {
    const { coordinator } = this.#parts.engine;
    const requests = this.#requests.of(fed);
    const stepping = coordinator.steps(requests, this.#requests.ahead(fed.length, feed));
    // The pool computes: what else is to be done does not hold it up.
    feed.refill();
    if (this.#telemetry.mustTell) this.#teller.tellNow();
    else this.#teller.tellSoon();
    const { steps, failure } = await stepping;
    const happened = steps.map((outcome, i) => ({
      ...{ outcome, request: requests[i], loadSeconds: fed[i].waitSeconds },
      ringFilled: fed.length - i + feed.readyAhead,
      isLast: i + 1 === requests.length,
    }));
    await this.#noteSteps(happened, failure);
  }

  /** All of them have happened: the observer is told of each once progress says so. Throws the first failure, also an observer's. */
  async #noteSteps(steps: readonly HappenedStep[], failure?: unknown): Promise<void> {
    const failures: unknown[] = failure ? [failure] : [];
    const reports: StepReport[] = [];
    try {
      for (const step of steps) reports.push(await this.#noteStep(step));
    } catch (error) {
      failures.push(error);
    }
    for (const report of reports) {
      try {
        this.#parts.observer.onStep?.(report);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #noteStep(step: HappenedStep): Promise<StepReport> {
    const { outcome, request, loadSeconds, ringFilled, isLast } = step;
    const progress = this.#progress;
    // Nothing is due after a step that others were given out with, but after the last of them.
    const gradients = isDue(progress.step + 1, this.#parts.config.gradientsEvery)
      ? await this.#probe(request)
      : undefined;
    progress.step++;
    progress.lastLoss = outcome.loss;
    this.#requests.stepSeconds = outcome.seconds;
    const { learningRate } = request;
    const seconds = loadSeconds + outcome.seconds;
    const times = { learningRate, seconds, loadSeconds, ringFilled, isLast };
    return this.#telemetry.step(outcome, times, gradients);
  }

  /** A step whose gradients cannot be looked at is taken back: else a resumed run would not have its line of them. */
  async #probe(source: ProbeSource): Promise<LayerProbe[]> {
    const { engine, plan } = this.#parts;
    // Its time counts with this step, not with those before.
    this.#teller.tellNow();
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
    if (step > 0) await this.#saver.save({ wait: false });
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
