/** Makes threads of the product die, from outside: every thread that is started while it is in place can be ordered to. */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type Worker, type WorkerOptions } from 'node:worker_threads';
import { createOrders, deathsLeft, giveOrders, ORDERS, type Order } from './orders.ts';

const PRELOAD = new URL('./preload.js', import.meta.url).href;
/** Enough for the product's threads, and soon exhausted. */
const LIMITS = { maxOldGenerationSizeMb: 40 };

export class FaultInjector {
  readonly #words = createOrders();
  #given: readonly Order[] = [];
  readonly #Worker = workerThreads.Worker;
  /** Threads that live, and when others ended, by performance.now(). */
  readonly living = new Set<Worker>();
  readonly deaths: number[] = [];
  /** Threads that the system still starts; it refuses each after them. */
  startsLeft = Number.POSITIVE_INFINITY;

  /** One at a time in a thread. */
  constructor() {
    const { living, deaths } = this;
    const countStart = () => this.#countStart();
    workerThreads.setEnvironmentData(ORDERS, this.#words);
    workerThreads.Worker = class extends this.#Worker {
      constructor(file: string | URL, options: WorkerOptions = {}) {
        countStart();
        const execArgv = [...(options.execArgv ?? []), '--import', PRELOAD];
        super(file, { ...options, execArgv, resourceLimits: LIMITS });
        this.on('message', (message) => {
          if (message?.terminate) void this.terminate();
        });
        living.add(this);
        this.on('exit', () => {
          living.delete(this);
          deaths.push(performance.now());
        });
      }
    } as typeof Worker;
    syncBuiltinESMExports();
  }

  /** Replaces all orders that were not carried out. Threads must be at rest. */
  order(orders: readonly Order[]): void {
    this.#given = orders;
    giveOrders(this.#words, orders);
  }

  /** The orders that were carried out, each as often as a thread died of it. */
  get done(): Order[] {
    return this.#given.flatMap((order, i) => {
      const deaths = (order.times ?? 1) - deathsLeft(this.#words, i);
      return new Array<Order>(deaths).fill(order);
    });
  }

  /** Threads from now on live undisturbed. */
  remove(): void {
    this.order([]);
    this.startsLeft = Number.POSITIVE_INFINITY;
    workerThreads.Worker = this.#Worker;
    syncBuiltinESMExports();
  }

  /** Throws what Node does where the process has all the threads it may have. */
  #countStart(): void {
    if (this.startsLeft-- > 0) return;
    throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
  }
}
