/** What a process holds, sampled while it trains. */
import { getEventListeners } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Sample {
  step: number;
  seconds: number;
  /** Resident memory of the process with all its threads. */
  residentBytes: number;
  /** Of the main thread, just collected, without compiled code. */
  heapBytes: number;
  /** What V8 has compiled for the main thread, with its data: functions are compiled anew as it learns of them. */
  codeBytes: number;
  /** Buffers of the main thread, outside its heap. */
  externalBytes: number;
  tokensPerSecond: number;
  /** What keeps the event loop alive. */
  handles: number;
  /** Open file descriptors and threads, where the system tells them; else 0. */
  descriptors: number;
  threads: number;
  listeners: number;
  /** Lines and characters of the last scrape; 0 before the first. */
  series: number;
  scrapeLength: number;
}

/** Keeps its samples in a file: what it held of them itself would count as growth of the process. */
export class Sampler {
  readonly warnings: string[] = [];
  readonly #file: string;
  readonly #signal: AbortSignal;
  readonly #collect: () => void;
  readonly #observer: PerformanceObserver;
  #collectionSeconds = 0;
  #scraped = '';
  /** Scrapes that got no whole answer, but one under which the run ended. */
  failedScrapes = 0;
  #failed = false;
  #began = performance.now();

  /** `file`: a new one, for the samples; `signal`: the run's, whose listeners are counted too. */
  constructor(file: string, signal: AbortSignal) {
    this.#file = file;
    writeFileSync(file, '', { flag: 'wx' });
    this.#signal = signal;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc');
    process.on('warning', ({ message }) => this.warnings.push(message));
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#count(entry);
    });
  }

  /** Begins to count time and collections. */
  start(): void {
    this.#began = performance.now();
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** Share of time that the main thread spent collecting, the sampler's own collections left out. */
  get collectionShare(): number {
    return this.#collectionSeconds / this.seconds;
  }

  readSamples(): Sample[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  sample(step: number, tokensPerSecond: number): void {
    if (this.#failed) this.failedScrapes++;
    this.#failed = false;
    this.#collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    const code = getHeapCodeStatistics();
    const codeBytes = code.code_and_metadata_size + code.bytecode_and_metadata_size;
    const onProcess = process
      .eventNames()
      .reduce((sum, name) => sum + process.listenerCount(name), 0);
    const sample: Sample = {
      step,
      seconds: this.seconds,
      residentBytes: rss,
      heapBytes: heapUsed - codeBytes,
      codeBytes,
      externalBytes: external,
      tokensPerSecond,
      handles: process.getActiveResourcesInfo().length,
      descriptors: entries('/proc/self/fd'),
      threads: entries('/proc/self/task'),
      listeners: onProcess + getEventListeners(this.#signal, 'abort').length,
      series: this.#scraped.split('\n').length - 1,
      scrapeLength: this.#scraped.length,
    };
    appendFileSync(this.#file, `${JSON.stringify(sample)}\n`);
  }

  /** Reads the metrics as Prometheus would, on a connection of its own. Never rejects: what failed is counted. */
  async scrape(url: string): Promise<void> {
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get(url, { agent: false }, resolve).on('error', reject);
      });
      this.#scraped = await text(response);
      this.#failed = response.statusCode !== 200;
    } catch {
      this.#failed = true;
    }
  }

  #count(entry: PerformanceEntry): void {
    const { duration, detail } = entry as PerformanceEntry & { detail: { flags: number } };
    if (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) return;
    this.#collectionSeconds += duration / 1000;
  }
}

function entries(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : 0;
}
