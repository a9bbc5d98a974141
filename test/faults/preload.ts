/**
 * Loaded into every thread before the product (`--import`): looks at what the thread is asked to do, and dies where an order says
 * so. Stands between the thread and its ports, so that the product knows nothing of it.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';
import { type Job, type Manner, ORDERS, type Order, takeOrder, type When } from './orders.ts';

const { MessagePort, parentPort } = workerThreads;
const orders = workerThreads.getEnvironmentData(ORDERS) as Int32Array;
/** How to die when the job at hand is done. */
let afterwards: Manner | undefined;
/**
 * Writes to the record of a compute thread until it is to die so: the first is of the task that is done, the next tells the others.
 * A share ends with one of another kind.
 */
let recordsLeft = Number.POSITIVE_INFINITY;

const RECORDS_UNTIL: Readonly<Record<When, number>> = {
  before: 0,
  after: 1,
  recorded: 2,
  arrived: Number.POSITIVE_INFINITY,
};

interface TaskToMeet {
  kind: Job;
  shard?: number;
  first?: number;
}

/** A compute thread reads its tasks with this. */
const receive = workerThreads.receiveMessageOnPort;
workerThreads.receiveMessageOnPort = (port) => {
  const received = receive(port);
  const { task, stages } = received?.message ?? {};
  if (task?.kind) meetTask(task);
  for (const message of stages ?? []) meetWhenRead(message);
  return received;
};
syncBuiltinESMExports();

/** comlink listens here for the calls of an actor. */
type Listener = (data: { path?: string[] }) => void;
const listen = parentPort!.on.bind(parentPort) as (name: string, listener: Listener) => unknown;
Object.assign(parentPort!, {
  on: (name: string, listener: Listener) =>
    listen(name, (data) => {
      if (data?.path) meet(data.path[0] as Job, -1);
      listener(data);
    }),
});

/** Answers of either kind, and nothing else, carry one of these names. */
const post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (message, ...rest: []) {
  const isCall = 'id' in message;
  if (afterwards && (isCall || 'reply' in message || 'over' in message)) {
    // comlink would catch it and answer that the result cannot be cloned.
    if (isCall && afterwards === 'throw') return queueMicrotask(() => die('throw'));
    die(afterwards);
  }
  post.call(this, message, ...rest);
};

/** A compute thread records a task in a stage with this, and then tells the others. */
const add = Atomics.add.bind(Atomics) as typeof Atomics.add;
Atomics.add = ((...operands: Parameters<typeof Atomics.add>) => {
  if (afterwards && --recordsLeft === 0) die(afterwards);
  return add(...operands);
}) as typeof Atomics.add;

/** It says that its share is over with this. */
const or = Atomics.or.bind(Atomics) as typeof Atomics.or;
Atomics.or = ((...operands: Parameters<typeof Atomics.or>) => {
  if (afterwards) die(afterwards);
  return or(...operands);
}) as typeof Atomics.or;

function meetTask({ kind, shard, first = 0 }: TaskToMeet): void {
  const when = meet(kind, shard ?? Math.min(1, first));
  if (when) recordsLeft = RECORDS_UNTIL[when];
}

/** A task in a stage is begun when it is read. */
function meetWhenRead(message: { task: TaskToMeet }): void {
  const { task } = message;
  Object.defineProperty(message, 'task', {
    get() {
      meetTask(task);
      return task;
    },
  });
}

/** The moment at which to die of it, where it is not now. */
function meet(job: Job, shard: number): When | undefined {
  const order: Pick<Order, 'manner' | 'when'> | undefined = takeOrder(orders, job, shard);
  if (order?.when === 'before') die(order.manner);
  if (order) afterwards = order.manner;
  return order?.when;
}

function die(manner: Manner): void {
  afterwards = undefined;
  if (manner === 'exit') process.exit(7);
  if (manner === 'throw') throw new Error('a fault was injected');
  if (manner === 'memory') exhaust();
  // Asks the test for worker.terminate(), and waits for it as an endless loop does.
  if (manner === 'terminate') post.call(parentPort, { terminate: true });
  for (;;);
}

function exhaust(): void {
  const hoard: number[][] = [];
  for (;;) hoard.push(new Array(100_000).fill(hoard.length));
}
