/**
 * The way of tasks to a compute thread and of replies back: a port of its own, and a count of tasks on which the thread sleeps.
 * It takes half the time that a call of piscina does, which makes objects and microtasks for each on both sides.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ComputeReply, ComputeTask } from './compute-protocol.ts';
import { JobRecord } from './job-record.ts';
import type { StageGate } from './stage-gate.ts';
import { type Entry, StageServer } from './stage-server.ts';
import type { PlacedTask } from './staged-work.ts';

/** The thread's end of a channel; its port must be transferred. */
export interface ThreadEnd {
  readonly port: MessagePort;
  /** (1), shared: tasks that were posted. */
  readonly posted: Int32Array;
  /** Of the job record, and of the gate that all threads share. */
  readonly record: SharedArrayBuffer;
  readonly gate: SharedArrayBuffer;
}

interface Message {
  task: ComputeTask;
  /** Of a task in stages. */
  entry?: Entry;
}

/** After which a thread that was not woken looks for tasks all the same. */
const SLEEP_MILLISECONDS = 60_000;

export class TaskChannel {
  readonly threadEnd: ThreadEnd;
  /** Of the tasks in stages that were posted last. */
  readonly record = new JobRecord();
  readonly #port: MessagePort;

  /** `replied` is called with each reply, in the order of what was posted. */
  constructor(gate: StageGate, replied: (reply: ComputeReply) => void) {
    const { port1, port2 } = new MessageChannel();
    const posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.threadEnd = { port: port2, posted, record: this.record.memory, gate: gate.memory };
    this.#port = port1.on('message', ({ reply }: { reply: ComputeReply }) => replied(reply));
  }

  post(task: ComputeTask): void {
    this.#post({ task });
  }

  /** Tasks of different stages, in their order, to a thread that has none; there is one reply to all. `sizes`: tasks of each stage. */
  postStages(tasks: readonly PlacedTask[], sizes: readonly number[]): void {
    this.record.reset();
    for (const [i, { task, stage }] of tasks.entries()) {
      const entry = {
        stage,
        awaited: sizes[stage - 1] ?? 0,
        first: i === 0,
        last: i === tasks.length - 1,
      };
      this.#post({ task, entry });
    }
  }

  /** No reply comes any more. */
  close(): void {
    this.#port.close();
  }

  #post(message: Message): void {
    this.#port.postMessage(message);
    const { posted } = this.threadEnd;
    Atomics.add(posted, 0, 1);
    Atomics.notify(posted, 0);
  }
}

/** In the thread: performs one task after another, until the thread is ended. Throws what `perform` throws. */
export function serveTasks(
  { port, posted, gate, record }: ThreadEnd,
  perform: (task: ComputeTask) => ComputeReply,
): never {
  const stages = new StageServer(gate, record, perform);
  for (let seen = 0; ; ) {
    // For the next task, which may never come: `terminate` wakes it.
    Atomics.wait(posted, 0, seen, SLEEP_MILLISECONDS);
    // Read before the messages: one that is posted after them ends the next sleep at once.
    seen = Atomics.load(posted, 0);
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      const { task, entry }: Message = next.message;
      const reply = entry ? stages.serve(task, entry) : perform(task);
      if (reply) port.postMessage({ reply });
    }
  }
}
