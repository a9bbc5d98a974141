/** Makes threads of the product die, from outside: every thread that is started while it is in place can be ordered to. */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type Worker, type WorkerOptions } from 'node:worker_threads';
import { createOrders, giveOrders, ORDERS, type Order, ordersLeft } from './orders.ts';

const PRELOAD = new URL('./preload.js', import.meta.url).href;
/** Enough for the product's threads, and soon exhausted. */
const LIMITS = { maxOldGenerationSizeMb: 40 };

export class FaultInjector {
  readonly #orders = createOrders();
  readonly #Worker = workerThreads.Worker;
  /** When threads ended, by performance.now(). */
  readonly deaths: number[] = [];

  /** One at a time in a thread. */
  constructor() {
    const { deaths } = this;
    workerThreads.setEnvironmentData(ORDERS, this.#orders);
    workerThreads.Worker = class extends this.#Worker {
      constructor(file: string | URL, options: WorkerOptions = {}) {
        const execArgv = [...(options.execArgv ?? []), '--import', PRELOAD];
        super(file, { ...options, execArgv, resourceLimits: LIMITS });
        this.on('message', (message) => {
          if (message?.terminate) void this.terminate();
        });
        this.on('exit', () => deaths.push(performance.now()));
      }
    } as typeof Worker;
    syncBuiltinESMExports();
  }

  /** Replaces all orders that were not carried out. */
  order(orders: readonly Order[]): void {
    giveOrders(this.#orders, orders);
  }

  get left(): number {
    return ordersLeft(this.#orders);
  }

  /** Threads from now on live undisturbed. */
  remove(): void {
    this.order([]);
    workerThreads.Worker = this.#Worker;
    syncBuiltinESMExports();
  }
}
