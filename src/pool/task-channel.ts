/**
 * The way of tasks to a compute thread and of replies back: a port of its own, and a count of tasks on which the thread sleeps.
 * It takes half the time that a call of piscina does, which makes objects and microtasks for each on both sides.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ComputeReply, ComputeTask } from './compute-protocol.ts';

/** The thread's end of a channel; its port must be transferred. */
export interface ThreadEnd {
  readonly port: MessagePort;
  /** (1), shared: tasks that were posted. */
  readonly posted: Int32Array;
}

/** After which a thread that was not woken looks for tasks all the same. */
const SLEEP_MILLISECONDS = 60_000;

export class TaskChannel {
  readonly threadEnd: ThreadEnd;
  readonly #port: MessagePort;

  /** `replied` is called with each reply, in the order of the tasks. */
  constructor(replied: (reply: ComputeReply) => void) {
    const { port1, port2 } = new MessageChannel();
    const posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.threadEnd = { port: port2, posted };
    this.#port = port1.on('message', ({ reply }: { reply: ComputeReply }) => replied(reply));
  }

  post(task: ComputeTask): void {
    this.#port.postMessage({ task });
    const { posted } = this.threadEnd;
    Atomics.add(posted, 0, 1);
    Atomics.notify(posted, 0);
  }

  /** No reply comes any more. */
  close(): void {
    this.#port.close();
  }
}

/** In the thread: performs one task after another, until the thread is ended. Throws what `perform` throws. */
export function serveTasks(
  { port, posted }: ThreadEnd,
  perform: (task: ComputeTask) => ComputeReply,
): never {
  for (let seen = 0; ; ) {
    // For the next task, which may never come: `terminate` wakes it.
    Atomics.wait(posted, 0, seen, SLEEP_MILLISECONDS);
    // Read before the messages: one that is posted after them ends the next sleep at once.
    seen = Atomics.load(posted, 0);
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      port.postMessage({ reply: perform(next.message.task) });
    }
  }
}
