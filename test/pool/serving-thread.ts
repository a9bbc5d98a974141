/** A thread that serves a channel; the reply to a sample is its first token. */
import { workerData } from 'node:worker_threads';
import { serveTasks } from '../../src/pool/task-channel.ts';

serveTasks(workerData, (task) => {
  if (task.kind !== 'sample') throw new Error(`Expected a sample, got ${task.kind}`);
  return { startedSeconds: 0, seconds: 0, ids: [task.first] };
});
