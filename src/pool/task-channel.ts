/**
 * The way of tasks to a compute thread and of replies back: a port of its own, and a count of tasks on which the thread sleeps.
 * It takes half the time that a call of piscina does, which makes objects and microtasks for each on both sides.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ComputeReply, ComputeTask } from './compute-protocol.ts';
import { ShareRecord } from './share-record.ts';
import { StageGates } from './stage-gates.ts';
import { type StagedMessage, type StagedReply, StageServer } from './stage-server.ts';

/** The thread's end of a channel; its port must be transferred. */
export interface ThreadEnd {
  readonly port: MessagePort;
  /** (1), shared: tasks that were posted. */
  readonly posted: Int32Array;
  /** Of the share record, and of the gates that all threads share. */
  readonly record: SharedArrayBuffer;
  readonly gates: SharedArrayBuffer;
  /** See `StageGates`. */
  readonly patience: number;
}

/** What the thread posts; without a record it is the reply to a task alone. */
type Answer = { reply: ComputeReply; record?: number } | StagedReply;

export interface ChannelEvents {
  /** A reply to the task, or to those of a share, that is in turn; `record`: of the share. */
  replied(reply: ComputeReply, record?: number): void;
  /** The records, of this thread and of those that had to do with it, say what is done. */
  over(record: number): void;
}

type Message = { task: ComputeTask } | { stages: readonly StagedMessage[] };

/** After which a thread that was not woken looks for tasks all the same. */
const SLEEP_MILLISECONDS = 60_000;

export class TaskChannel {
  readonly threadEnd: ThreadEnd;
  /** Of the tasks in stages that were posted. */
  readonly record = new ShareRecord();
  readonly #port: MessagePort;

  constructor({ memory, patience }: StageGates, events: ChannelEvents) {
    const { port1, port2 } = new MessageChannel();
    const posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.threadEnd = {
      port: port2,
      posted,
      record: this.record.memory,
      gates: memory,
      patience,
    };
    this.#port = port1.on('message', (answer: Answer) => {
      if ('over' in answer) events.over(answer.over);
      else events.replied(answer.reply, answer.record);
    });
  }

  post(task: ComputeTask): void {
    this.#post({ task });
  }

  /** Tasks of different stages, in their order; see `StageServer`. Their record must be free. */
  postStages(stages: readonly StagedMessage[]): void {
    this.record.reset(stages[0].record);
    this.#post({ stages });
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
  { port, posted, gates, patience, record }: ThreadEnd,
  perform: (task: ComputeTask) => ComputeReply,
): never {
  const stages = new StageServer(new StageGates(patience, gates), new ShareRecord(record), perform);
  for (let seen = 0; ; ) {
    // For the next task, which may never come: `terminate` wakes it.
    Atomics.wait(posted, 0, seen, SLEEP_MILLISECONDS);
    // Read before the messages: one that is posted after them ends the next sleep at once.
    seen = Atomics.load(posted, 0);
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      const message: Message = next.message;
      const answer: Answer | undefined =
        'stages' in message ? stages.serve(message.stages) : { reply: perform(message.task) };
      if (answer) port.postMessage(answer);
    }
  }
}
