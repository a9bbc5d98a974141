/** In a compute thread: performs tasks in stages, each once those of the stage before it are done by all threads. */
import type { ComputeReply, ComputeTask } from './compute-protocol.ts';
import { ShareRecord } from './share-record.ts';
import { type GatedStage, StageGates } from './stage-gates.ts';

/** A task in a stage, and what it waits for. */
export interface StagedMessage {
  task: ComputeTask;
  stage: GatedStage;
  /** A stage and the number of its tasks; absent where it waits for nothing. */
  awaited?: GatedStage & { tasks: number };
  /** Where the thread keeps how far it has come. */
  record: number;
}

/** The reply to tasks whose results are in the record. */
const OVER: ComputeReply = { startedSeconds: 0, seconds: 0 };

export class StageServer {
  readonly #gates: StageGates;
  readonly #record: ShareRecord;
  readonly #perform: (task: ComputeTask) => ComputeReply;

  constructor(
    gates: SharedArrayBuffer,
    record: SharedArrayBuffer,
    perform: (task: ComputeTask) => ComputeReply,
  ) {
    this.#gates = new StageGates(gates);
    this.#record = new ShareRecord(record);
    this.#perform = perform;
  }

  /** Performs tasks in order of stage, to the first that fails or must not be begun. Returns the reply to all. */
  serve(messages: readonly StagedMessage[]): ComputeReply {
    for (const message of messages) {
      if (!this.#passes(message)) return OVER;
      const result = this.#perform(message.task);
      const failed = 'error' in result;
      // Before it arrives: nothing may build on a step that must not be committed.
      if (failed || result.halts) this.#gates.recall();
      if (failed) return result;
      // First the thread's own record, which says what need not be done again, then the count that lets others go on.
      this.#record.add(message.record, result);
      this.#gates.arrive(message.stage);
    }
    return OVER;
  }

  #passes({ awaited }: StagedMessage): boolean {
    if (!awaited) return true;
    this.#record.waiting = true;
    const passed = this.#gates.await(awaited, awaited.tasks);
    this.#record.waiting = false;
    return passed;
  }
}
