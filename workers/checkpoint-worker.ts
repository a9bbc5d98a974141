/** Entry of the thread that writes checkpoints. */
import { workerData } from 'node:worker_threads';
import { storeCheckpoint } from '../src/checkpoint/store.ts';
import type { CheckpointThreadData, CheckpointWriterApi } from '../src/pool/actor-protocol.ts';
import { exposeActor } from '../src/pool/actor-thread.ts';

const { memory } = workerData as CheckpointThreadData;

exposeActor<CheckpointWriterApi>({
  write: (request, pulse) => storeCheckpoint(request, memory.buffer, pulse),
});
