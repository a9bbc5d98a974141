/** A process that starts compute threads and ends each of them at a drawn moment of its loading. It prints `survived` at its end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ComputeThreadData } from '../../src/pool/compute-protocol.ts';
import { ComputeThread } from '../../src/pool/compute-thread.ts';
import { StageGates } from '../../src/pool/stage-gates.ts';
import { drawsOf } from '../faults/random.ts';

const ROUNDS = 60;
const TOGETHER = 2;
const draw = drawsOf(Number(process.argv[2]));

/** A thread without data: it fails once its modules are loaded. */
function start() {
  let tell!: () => void;
  const broken = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const unused = { ready() {}, replied() {}, over() {} };
  const events = { ...unused, broken: tell, ended: tell, stuck: tell, refused: tell };
  return {
    thread: new ComputeThread({} as ComputeThreadData, new StageGates(0), 0, events),
    broken,
  };
}

/** Milliseconds that a thread takes to load. */
async function loadingTime(): Promise<number> {
  const started = performance.now();
  const { thread, broken } = start();
  await broken;
  await thread.close();
  return performance.now() - started;
}

async function killAfter(milliseconds: number): Promise<void> {
  const { thread } = start();
  await delay(milliseconds);
  await thread.close();
}

await loadingTime();
const longest = 1.2 * (await loadingTime());
for (let round = 0; round < ROUNDS; round++) {
  await Promise.all(Array.from({ length: TOGETHER }, () => killAfter(draw(longest))));
}
console.log('survived');
