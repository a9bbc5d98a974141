/** Engines for which the system reserves too few arenas. */
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { InputError } from '../../src/errors.ts';
import { ADAM, smallSpec, startTestEngine } from '../helpers/engine.ts';

/** The system reserves so many arenas and no more. */
function grantArenas(t: ExecutionContext, granted: number): void {
  const wasm = WebAssembly as { Memory: typeof WebAssembly.Memory };
  const { Memory } = wasm;
  let left = granted;
  wasm.Memory = class extends Memory {
    constructor(size: WebAssembly.MemoryDescriptor) {
      if (left-- <= 0) throw new RangeError('WebAssembly.Memory(): could not allocate memory');
      super(size);
    }
  };
  t.teardown(() => {
    wasm.Memory = Memory;
  });
}

/** The threads that are started from now on. */
function noteThreads(t: ExecutionContext): Worker[] {
  const threads: Worker[] = [];
  const note = (thread: Worker) => threads.push(thread);
  process.on('worker', note);
  t.teardown(() => process.off('worker', note));
  return threads;
}

const start = () =>
  startTestEngine({
    ...{ streams: 2, times: 1, lanes: 2, workers: 2, backend: 'wasm' },
    ...{ optimizer: ADAM, spec: smallSpec('rnn') },
  });

for (const granted of [0, 1]) {
  test.serial(`arena ${granted + 1} is refused: nothing is started`, async (t) => {
    const threads = noteThreads(t);
    grantArenas(t, granted);
    const error = await t.throwsAsync(start(), { instanceOf: InputError });
    t.regex(
      error.message,
      /^Expected the system to reserve an arena of \S+ \S+, got: .* could not allocate memory\. Raise its limit of address space/,
    );
    t.is(threads.length, 0);
  });
}

test.serial('once its threads have started nothing more is reserved', async (t) => {
  const threads = noteThreads(t);
  t.teardown(() => Promise.all(threads.map((thread) => thread.terminate())));
  grantArenas(t, 2);
  const { engine } = await start();
  t.is(engine.pool.threadIds.length, 2);
  await engine.pool.close();
});
