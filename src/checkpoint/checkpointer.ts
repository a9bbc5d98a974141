/** Writes checkpoints of a run through the writer thread, which works while training goes on. */
import { messageOf } from '../errors.ts';
import { ActorLostError, type ActorStuckError } from '../pool/actor.ts';
import type {
  CheckpointThreadData,
  CheckpointWriterApi,
  TensorSource,
  WriteCheckpointResult,
} from '../pool/actor-protocol.ts';
import { type LastingActor, startLastingActor } from '../pool/lasting-actor.ts';
import type { CheckpointState } from './header.ts';
import type { LockClaim } from './run-lock.ts';

const ENTRY = new URL('../../workers/checkpoint-worker.js', import.meta.url);

export interface CheckpointerParts {
  folder: string;
  /** Of the run's folder: nothing is named there once it is another process's. */
  lock: LockClaim;
  keep: number;
  memory: WebAssembly.Memory;
  /** Where the tensors lie in the snapshot. */
  tensors: TensorSource[];
  /** Descriptors of what goes to the disk first: a checkpoint counts on the lines before it. */
  logs: () => number[];
  /** Copies the current generation into the snapshot. */
  snapshot: () => Promise<void>;
  onWritten: (result: WriteCheckpointResult & { step: number }, saved: Saved) => void;
  onFailed: (saved: Saved, error: Error) => void;
  /** A checkpoint is not even tried, because the writer of an earlier one neither gets on nor ends. */
  onRefused: (error: ActorStuckError) => void;
  onSkipped: () => void;
  /** A writer that makes no progress for so long is replaced; 0: never. */
  limitSeconds: number;
  onWarning: (message: string) => void;
}

/** What a checkpoint is of, and whether it is the best too. */
export interface Saved {
  state: CheckpointState;
  best: boolean;
}

export interface SaveRequest extends Saved {
  /** Wait for a writer that is still busy, and for this checkpoint; else it is skipped or written meanwhile. */
  wait: boolean;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  readonly #writer: LastingActor<CheckpointWriterApi>;
  /** Never rejects, and has the limit of the writer: nothing else is waited for. */
  #writing: Promise<void> | undefined;
  #lost: ActorLostError | undefined;
  /** What telling of a checkpoint threw, where it did. */
  #notTold: { error: unknown } | undefined;
  /** Checkpoints left out since the user was told of the first; 0 where the writer keeps up. */
  #leftOut = 0;
  /** Those since the last that was left out which found the writer free. */
  #inTime = 0;

  constructor(parts: CheckpointerParts) {
    const { memory, limitSeconds, onWarning } = parts;
    const workerData: CheckpointThreadData = { memory };
    this.#parts = parts;
    this.#writer = startLastingActor('checkpoint writer', ENTRY, {
      workerData,
      limitSeconds,
      onWarning,
    });
  }

  /** Writer threads that died and were replaced. */
  get restarts(): number {
    return this.#writer.restarts;
  }

  /**
   * Throws ActorLostError where a checkpoint took down several writers: the run cannot be saved any more. Else what `onWritten` or
   * `onFailed` threw: the run can still be saved.
   */
  check(): void {
    this.#refuseLost();
    if (this.#notTold) throw this.#notTold.error;
  }

  /**
   * False where the checkpoint was skipped or refused. Never throws for what the disk does: that is reported, and the last checkpoint
   * stays valid. Throws ActorLostError as `check`, nothing else of it.
   */
  async save({ wait, ...saved }: SaveRequest): Promise<boolean> {
    const { step } = saved.state.progress;
    if (this.#writing && !wait && !saved.best) {
      this.#leaveOut(step);
      return false;
    }
    const inTime = this.#writing === undefined;
    await this.settled();
    if (this.#writer.stuck) {
      // Should it get on after all, it must not find another state in the snapshot, nor another writer at its files.
      this.#parts.onRefused(this.#writer.stuck);
      return false;
    }
    if (!wait) this.#take(step, inTime);
    await this.#parts.snapshot();
    this.#writing = this.#write(saved).finally(() => {
      this.#writing = undefined;
    });
    if (wait) await this.settled();
    return true;
  }

  /** Resolves once no checkpoint is being written. Throws ActorLostError as `check`, nothing else of it. */
  async settled(): Promise<void> {
    await this.#writing;
    this.#refuseLost();
  }

  /** Waits for the checkpoint under way and ends the thread. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#writer.terminate();
  }

  #refuseLost(): void {
    if (this.#lost) throw this.#lost;
  }

  #leaveOut(step: number): void {
    const { onSkipped, onWarning } = this.#parts;
    onSkipped();
    this.#inTime = 0;
    if (this.#leftOut++ > 0) return;
    onWarning(
      `The checkpoint of step ${step} is left out, because the one before it is still being written. ` +
        'Others may be left out too; it is told when they are written in time again.',
    );
  }

  /** Told from the second in a row on: a disk that takes every other one has not recovered. */
  #take(step: number, inTime: boolean): void {
    this.#inTime = inTime ? this.#inTime + 1 : 0;
    if (this.#leftOut === 0 || this.#inTime < 2) return;
    const count = this.#leftOut === 1 ? '1 was' : `${this.#leftOut} were`;
    this.#parts.onWarning(
      `Checkpoints are written in time again, that of step ${step} too; ${count} left out.`,
    );
    this.#leftOut = 0;
  }

  async #write(saved: Saved): Promise<void> {
    const { onWritten, onFailed } = this.#parts;
    const { step } = saved.state.progress;
    let tell: () => void;
    try {
      const result = await this.#store(saved);
      tell = () => onWritten({ step, ...result }, saved);
    } catch (error) {
      if (error instanceof ActorLostError) this.#lost = error;
      tell = () => onFailed(saved, error instanceof Error ? error : new Error(messageOf(error)));
    }
    try {
      tell();
    } catch (error) {
      this.#notTold ??= { error };
    }
  }

  async #store({ state, best }: Saved): Promise<WriteCheckpointResult> {
    const { folder, lock, keep, tensors, logs } = this.#parts;
    const { step } = state.progress;
    const request = { folder, step, header: state, tensors, keep, best, lock, logs: logs() };
    return await this.#writer.calls.write(request, this.#writer.pulse);
  }
}
