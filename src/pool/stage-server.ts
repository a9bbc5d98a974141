/** In a compute thread: performs tasks in stages, each once those of the stage before it are done by all threads. */
import type { ComputeReply, ComputeTask } from './compute-protocol.ts';
import type { ShareRecord } from './share-record.ts';
import type { GatedStage, StageGates } from './stage-gates.ts';

/** A task in a stage, and what it waits for. */
export interface StagedMessage {
  task: ComputeTask;
  stage: GatedStage;
  /** A stage and how many arrive there: its tasks, and the coordinator where it holds them; absent where it waits for nothing. */
  awaited?: GatedStage & { tasks: number };
  /** Of the last stage: the number of its tasks. Whose thread does the last of them tells the coordinator that all are done. */
  closes?: number;
  /** Where the thread keeps how far it has come. */
  record: number;
}

/** What the coordinator must be told at once: a failure, or that it finds the rest in the records. */
export type StagedReply = { reply: ComputeReply; record: number } | { over: number };

export class StageServer {
  readonly #gates: StageGates;
  readonly #record: ShareRecord;
  readonly #perform: (task: ComputeTask) => ComputeReply;

  constructor(
    gates: StageGates,
    record: ShareRecord,
    perform: (task: ComputeTask) => ComputeReply,
  ) {
    this.#gates = gates;
    this.#record = record;
    this.#perform = perform;
  }

  /**
   * Performs tasks in order of stage, to the first that fails or must not be begun. Returns what the coordinator must be told; nothing
   * where another thread, which it has to hear of anyway, will tell: to wake it takes a core from the others.
   */
  serve(messages: readonly StagedMessage[]): StagedReply | undefined {
    const { record } = messages[0];
    let tells = false;
    for (const message of messages) {
      if (!this.#passes(message)) {
        tells = true;
        break;
      }
      const result = this.#perform(message.task);
      const failed = 'error' in result;
      // Before it arrives: nothing may build on a step that must not be committed.
      if (failed || result.halts) this.#gates.recall();
      if (failed) return { reply: result, record };
      // First the thread's own record, which says what need not be done again, then the count that lets others go on.
      this.#record.add(record, result);
      tells = this.#gates.arrive(message.stage) === message.closes;
    }
    return this.#record.finish(record) || tells ? { over: record } : undefined;
  }

  #passes({ awaited }: StagedMessage): boolean {
    if (!awaited) return true;
    this.#record.waiting = true;
    const passed = this.#gates.await(awaited, awaited.tasks);
    this.#record.waiting = false;
    return passed;
  }
}
