/** Writes checkpoints of a run through the writer thread, which works while training goes on. */
import { messageOf } from '../errors.ts';
import { type Actor, startActor } from '../pool/actor.ts';
import type {
  CheckpointThreadData,
  CheckpointWriterApi,
  TensorSource,
  WriteCheckpointResult,
} from '../pool/protocol.ts';
import type { CheckpointState } from './header.ts';

const ENTRY = new URL('../../workers/checkpoint-worker.js', import.meta.url);

export interface CheckpointerParts {
  folder: string;
  keep: number;
  memory: WebAssembly.Memory;
  /** Where the tensors lie in the snapshot. */
  tensors: TensorSource[];
  /** Puts all that is logged on the disk: a checkpoint counts on the lines before it. */
  syncLogs: () => Promise<void>;
  /** Copies the current generation into the snapshot. */
  snapshot: () => Promise<void>;
  onWritten: (result: WriteCheckpointResult & { step: number }) => void;
  onFailed: (step: number, error: Error) => void;
  onSkipped: () => void;
}

export interface SaveRequest {
  state: CheckpointState;
  best: boolean;
  /** Wait for a writer that is still busy, and for this checkpoint; else it is skipped or written meanwhile. */
  wait: boolean;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #writer: Actor<CheckpointWriterApi>;
  #writing: Promise<void> | undefined;
  #closing = false;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
    this.#writer = this.#start();
  }

  /**
   * False where the checkpoint was skipped. Never throws for what the disk does: that is reported, and the last checkpoint
   * stays valid.
   */
  async save({ state, best, wait }: SaveRequest): Promise<boolean> {
    if (this.#writing && !wait && !best) {
      this.#parts.onSkipped();
      return false;
    }
    await this.#writing;
    await this.#parts.snapshot();
    this.#writing = this.#write(state, best).finally(() => {
      this.#writing = undefined;
    });
    if (wait) await this.#writing;
    return true;
  }

  /** Resolves once no checkpoint is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Waits for the checkpoint under way and ends the thread. */
  async close(): Promise<void> {
    await this.#writing;
    this.#closing = true;
    await this.#writer.terminate();
  }

  async #write(state: CheckpointState, best: boolean): Promise<void> {
    const { folder, keep, tensors, syncLogs, onWritten, onFailed } = this.#parts;
    const { step } = state.progress;
    try {
      await syncLogs();
      const result = await this.#writer.calls.write({
        folder,
        step,
        header: state,
        tensors,
        keep,
        best,
      });
      onWritten({ step, ...result });
    } catch (error) {
      onFailed(step, error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #start(): Actor<CheckpointWriterApi> {
    const data: CheckpointThreadData = { memory: this.#parts.memory };
    const writer = startActor<CheckpointWriterApi>('checkpoint writer', ENTRY, data);
    // A writer that died is replaced: the checkpoint it wrote is reported as failed, the next one is not.
    void writer.exited.then(() => {
      if (this.#writer === writer && !this.#closing) this.#writer = this.#start();
    });
    return writer;
  }
}
