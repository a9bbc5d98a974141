/** Entry of a compute thread: runs tasks on the arena, replies to each with what it measured. */
import { workerData } from 'piscina';
import { toErrorRecord } from '../src/errors.ts';
import { createKernels } from '../src/kernels/backend.ts';
import { monotonicSeconds } from '../src/pool/clock.ts';
import type {
  ComputeReply,
  ComputeResult,
  ComputeTask,
  ComputeThreadData,
} from '../src/pool/compute-protocol.ts';
import { serveTasks, type ThreadEnd } from '../src/pool/task-channel.ts';
import { ArenaTasks } from './arena-tasks.ts';
import { copyRate, multiplyAddRate } from './rates.ts';

const data = workerData as ComputeThreadData;
const kernels = createKernels(data.kernels, data.memory);
const tasks = new ArenaTasks(data, kernels);

export default function serve(end: ThreadEnd): never {
  return serveTasks(end, run);
}

function run(task: ComputeTask): ComputeReply {
  const startedSeconds = monotonicSeconds();
  try {
    const figures = perform(task);
    return { startedSeconds, seconds: monotonicSeconds() - startedSeconds, ...figures };
  } catch (error) {
    return { error: toErrorRecord(error) };
  }
}

type Figures = Omit<ComputeResult, 'startedSeconds' | 'seconds'>;

function perform(task: ComputeTask): Figures | undefined {
  switch (task.kind) {
    case 'train':
      tasks.train(task);
      return;
    case 'evaluate':
      return { losses: tasks.evaluate(task) };
    case 'reduce':
      tasks.reduce(task);
      return;
    case 'update':
      return { halts: !tasks.update(task) };
    case 'pack':
      tasks.pack(task);
      return;
    case 'sample':
      return { ids: tasks.sample(task) };
    case 'snapshot':
      tasks.snapshot(task);
      return;
    case 'initialize':
      tasks.initialize(task);
      return;
    case 'flow':
      return { flow: tasks.flow(task) };
    case 'squares':
      return { squares: tasks.squares(task) };
    case 'measure':
      return {
        rate:
          task.what === 'copy' ? copyRate(task.seconds) : multiplyAddRate(kernels, task.seconds),
      };
    case 'ping':
  }
}
