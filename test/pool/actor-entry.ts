/** The thread of the actor tests. */
import { threadId, workerData } from 'node:worker_threads';
import { InputError, TrainingError } from '../../src/errors.ts';
import { exposeActor } from '../../src/pool/actor-thread.ts';

export class Subject {
  #secret: string | undefined;

  add(a: number, b: number): number {
    return a + b;
  }

  async thread(): Promise<number> {
    return threadId;
  }

  data(): unknown {
    return workerData;
  }

  /** Adds 1 to every element, in shared memory. */
  increment(memory: WebAssembly.Memory, elements: number): void {
    const words = new Int32Array(memory.buffer);
    for (let i = 0; i < elements; i++) words[i]++;
  }

  fail(kind: 'input' | 'training' | 'type' | 'text'): void {
    if (kind === 'input') throw new InputError('Expected this, got that.');
    if (kind === 'training')
      throw new TrainingError('The step failed.', { step: 7, phase: 'load' });
    if (kind === 'type') throw Object.assign(new TypeError('no such thing'), { code: 'ENOTHING' });
    throw 'only a text';
  }

  async failLater(): Promise<void> {
    await Promise.resolve();
    throw new InputError('Later.');
  }

  notCloneable(): unknown {
    return () => 1;
  }

  exit(code: number): Promise<void> {
    process.exit(code);
  }

  /** Dies outside any call; the call itself never settles. */
  crash(): Promise<void> {
    setImmediate(() => {
      throw new Error('crashed in a timer');
    });
    return new Promise(() => {});
  }

  /** Takes down the threads that are the first `times` to do it; the next one returns how many there were. */
  die(times: number, attempts: Int32Array, manner: 'exit' | 'spin'): number {
    const before = Atomics.add(attempts, 0, 1);
    if (before >= times) return before;
    if (manner === 'exit') process.exit(5);
    for (;;);
  }

  /** What is to be known before `told` is asked. */
  tell(secret: string): void {
    this.#secret = secret;
  }

  told(): string | undefined {
    return this.#secret;
  }

  /** Says that it began, and never ends. */
  spin(began: Int32Array): void {
    Atomics.store(began, 0, 1);
    for (;;);
  }
}

exposeActor(new Subject());
