/** Who is told of a run while it trains: its metrics and, where they are served, the live page on the same port. */
import type { Config } from '../config/config.ts';
import { messageOf, TrainingError } from '../errors.ts';
import type { RunHistory } from '../live/history.ts';
import { LiveRun } from '../live/live-run.ts';
import type { RunDescription } from '../live/protocol.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { recordAll } from '../metrics/record-all.ts';
import type { Recorder } from '../metrics/records.ts';
import { VERSION } from '../version.ts';
import { publicReason } from './public-reason.ts';
import type { TrainObserver, TrainResult } from './reports.ts';
import { describeStart } from './run-description.ts';
import { ServerThread } from './server-thread.ts';

/** For those who look at the run; what it was is told with the folders of the files, by the command alone. */
const INCOMPLETE =
  'Not all files of the run could be written: its command tells which, and ends with exit code 1.';

export class Watching {
  readonly recorder: Recorder;
  /** Absent where nothing is served. */
  readonly server: ServerThread | undefined;
  readonly #config: Config;
  readonly #metrics: Metrics;
  readonly #onWarning: TrainObserver['onWarning'];
  readonly #live: LiveRun | undefined;
  #hasBegun = false;

  private constructor(
    config: Config,
    { onWarning }: TrainObserver,
    metrics: Metrics,
    live?: LiveRun,
    server?: ServerThread,
  ) {
    this.recorder = live ? recordAll([metrics, live]) : metrics;
    this.server = server;
    this.#config = config;
    this.#metrics = metrics;
    this.#onWarning = onWarning;
    this.#live = live;
  }

  /** Throws InputError where the port is taken or not allowed, or the host is not an address of this machine. */
  static async start(config: Config, observer: TrainObserver): Promise<Watching> {
    const metrics = createMetrics({ run: config.run, processMetrics: config.metrics });
    if (!config.metrics) return new Watching(config, observer, metrics);
    const { metricsHost: host, metricsPort: port, workerTimeout: limitSeconds } = config;
    const onWarning = (message: string) => observer.onWarning?.(message);
    const live = new LiveRun(describeStart(config, VERSION));
    const place = { host, port, allowedHosts: config.metricsAllowedHosts?.split(',') };
    const server = await ServerThread.start({
      ...{ place, metrics, live, limitSeconds, onWarning },
    }).catch((error) => {
      metrics.close();
      throw error;
    });
    const { movedFrom, port: taken } = server.address;
    if (movedFrom !== undefined) {
      onWarning(`The default metrics port ${movedFrom} is in use; metrics are on port ${taken}.`);
    }
    return new Watching(config, observer, metrics, live, server);
  }

  /** Training begins. `readHistory`: of a run that goes on, read only where somebody may look at it. */
  async begin(description: RunDescription, readHistory?: () => Promise<RunHistory>): Promise<void> {
    this.#hasBegun = true;
    if (this.#live) this.#live.begin(description, await readHistory?.());
  }

  /** Serves the last values for as long as was asked for. */
  async end({ interrupted, failures }: TrainResult, signal?: AbortSignal): Promise<void> {
    const isComplete = failures.length === 0;
    if (!isComplete) this.recorder.recordFailure();
    this.#live?.end(interrupted ? 'stopped' : 'finished', isComplete ? undefined : INCOMPLETE);
    await this.#untilScraped(signal);
    await this.server?.closeAfter(this.#config.metricsLinger, signal);
  }

  /** `error`: why the run could not go on, which those who look at it see too; it was stopped where that is the signal's reason. */
  async fail(error: unknown, signal?: AbortSignal): Promise<void> {
    const message = messageOf(error);
    // What is refused before it begins is told by the command alone.
    const isRun = this.#hasBegun || error instanceof TrainingError;
    if (signal?.aborted && error === signal.reason) {
      this.#live?.end('stopped');
    } else {
      if (isRun) this.recorder.recordFailure();
      this.#live?.end('failed', publicReason(error, this.#config));
    }
    const { metricsLinger: seconds } = this.#config;
    if (!this.server || !isRun) return;
    if (seconds > 0 && !signal?.aborted) {
      this.#onWarning?.(`The run failed and is served for ${seconds} s more: ${message}`);
    }
    await this.#untilScraped(signal);
    await this.server.closeAfter(seconds, signal);
  }

  /** Where Prometheus reads the metrics, its last values must not be those of a run that trains, as if it had been killed. */
  async #untilScraped(signal?: AbortSignal): Promise<void> {
    const seconds = (await this.server?.secondsToScrape()) ?? 0;
    if (seconds >= 1) {
      this.#onWarning?.(
        `The end of the run is shown to who scrapes its metrics next, in ${Math.ceil(seconds)} s at most; Ctrl-C ends at once.`,
      );
    }
    // One that was aborted has stopped the run; the next Ctrl-C ends the process.
    await this.server?.untilScraped(signal?.aborted ? undefined : signal);
  }

  async close(): Promise<void> {
    await this.server?.close();
    this.#metrics.close();
  }
}
