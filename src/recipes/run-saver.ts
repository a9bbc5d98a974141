/** Saves what a run has come to: checkpoints as it trains, its last state however it ends, and why it failed. */
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import { writeFailure } from '../checkpoint/failure-note.ts';
import { messageOf } from '../errors.ts';
import { publicReason } from './public-reason.ts';
import { snapshotTensors } from './restore.ts';
import type { RunJournal } from './run-journal.ts';
import { checkpointState } from './run-outcome.ts';
import type { RunProgress } from './run-progress.ts';
import type { RunTelemetry } from './run-telemetry.ts';
import type { TrainingParts } from './training-parts.ts';

export class RunSaver {
  readonly #parts: TrainingParts;
  readonly #progress: RunProgress;
  readonly #journal: RunJournal;
  readonly #telemetry: RunTelemetry;
  readonly #checkpointer: Checkpointer;

  constructor(
    parts: TrainingParts,
    progress: RunProgress,
    journal: RunJournal,
    telemetry: RunTelemetry,
  ) {
    this.#parts = parts;
    this.#progress = progress;
    this.#journal = journal;
    this.#telemetry = telemetry;
    this.#checkpointer = this.#createCheckpointer();
  }

  /** Writer threads that died and were replaced. */
  get restarts(): number {
    return this.#checkpointer.restarts;
  }

  /** Throws ActorLostError where the run cannot be saved any more, and what the observer threw of a checkpoint. */
  check(): void {
    this.#checkpointer.check();
  }

  /**
   * Of the step at hand, as the best too where its validation is better than that of the best checkpoint. `wait`: until it is
   * written. Throws ActorLostError as `Checkpointer`.
   */
  async save({ wait }: { wait: boolean }): Promise<void> {
    const progress = this.#progress;
    const before = progress.savedStep;
    const bestLoss = progress.unsavedBestLoss;
    const best = bestLoss !== null;
    // Set first, because a failure to write, reported while `save` waits, takes it back.
    progress.savedStep = progress.step;
    if (best) progress.bestCheckpoint.writing(bestLoss);
    const state = checkpointState(this.#parts, progress, this.#journal.sizes);
    let taken = false;
    try {
      taken = await this.#checkpointer.save({ state, best, wait });
    } finally {
      if (!taken) progress.savedStep = before;
      if (!taken && best) progress.bestCheckpoint.failed(bestLoss);
    }
  }

  /** However the loop ends, its last state is saved; that of a complete run says so. */
  async saveLast(): Promise<void> {
    const progress = this.#progress;
    await this.#checkpointer.settled();
    if (progress.savedStep === progress.step && !progress.complete) return;
    await this.save({ wait: true });
  }

  /** Saves the state before a step that failed, and throws what made it fail even where the saving fails too. */
  async saveAfter(error: unknown): Promise<never> {
    try {
      await this.saveLast();
    } catch (saving) {
      const { step } = this.#progress;
      this.#journal.fail(`The state of step ${step} could not be saved: ${messageOf(saving)}`);
    }
    throw error;
  }

  /** For a report of the run. */
  noteFailure(error: unknown): void {
    const { folder, config } = this.#parts;
    const message = publicReason(error, config);
    try {
      folder.checkOwned();
      writeFailure(folder.path, { step: this.#progress.step, message });
    } catch {
      // The folder is another's, or cannot be written: the error itself is told all the same.
    }
  }

  /** Waits for the checkpoint under way and ends its writer. */
  async close(): Promise<void> {
    await this.#checkpointer.close();
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
      onWritten: (checkpoint, { state, best }) => {
        if (best) this.#progress.bestCheckpoint.written(state.progress.lastEvalLoss!);
        this.#progress.newestCheckpoint = checkpoint.path;
        recorder.recordCheckpoint(checkpoint);
        observer.onCheckpoint?.(checkpoint);
      },
      onFailed: ({ state, best }, error) => {
        const { step, lastEvalLoss } = state.progress;
        folder.doubtOwned();
        if (this.#progress.savedStep === step) this.#progress.savedStep = -1;
        if (best) this.#progress.bestCheckpoint.failed(lastEvalLoss!);
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
}
