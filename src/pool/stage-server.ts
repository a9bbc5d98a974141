/** In a compute thread: performs tasks in stages, each once those of the stage before it are done by all threads. */
import type { ComputeReply, ComputeTask } from './compute-protocol.ts';
import { JobRecord } from './job-record.ts';
import { StageGate } from './stage-gate.ts';

/** What a task in a stage waits for, and its place among those that the thread is given at once. */
export interface Entry {
  stage: number;
  /** Tasks of the stage before it. */
  awaited: number;
  first: boolean;
  last: boolean;
}

/** The reply to tasks whose results are in the record. */
const OVER: ComputeReply = { startedSeconds: 0, seconds: 0 };

export class StageServer {
  readonly #gate: StageGate;
  readonly #record: JobRecord;
  readonly #perform: (task: ComputeTask) => ComputeReply;
  /** Set where none of the tasks at hand is begun any more: what is replied to them. */
  #stopped: ComputeReply | undefined;

  constructor(
    gate: SharedArrayBuffer,
    record: SharedArrayBuffer,
    perform: (task: ComputeTask) => ComputeReply,
  ) {
    this.#gate = new StageGate(gate);
    this.#record = new JobRecord(record);
    this.#perform = perform;
  }

  /** Tasks must come in order of stage. Returns the reply to all with the last of them, done or not. */
  serve(task: ComputeTask, entry: Entry): ComputeReply | undefined {
    if (entry.first) this.#stopped = undefined;
    if (!this.#stopped && !this.#passes(entry)) this.#stopped = OVER;
    if (!this.#stopped) this.#do(task, entry.stage);
    return entry.last ? (this.#stopped ?? OVER) : undefined;
  }

  #passes({ stage, awaited }: Entry): boolean {
    if (stage === 0) return true;
    this.#record.waiting = true;
    const passed = this.#gate.await(stage - 1, awaited);
    this.#record.waiting = false;
    return passed;
  }

  #do(task: ComputeTask, stage: number): void {
    const result = this.#perform(task);
    if ('error' in result) {
      this.#stopped = result;
      this.#gate.recall();
      return;
    }
    // First the thread's own record, which says what need not be done again, then the count that lets others go on.
    this.#record.add(result);
    this.#gate.arrive(stage);
  }
}
