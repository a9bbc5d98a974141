/** A run whose records a test makes: told to the real metrics and the real page, which one port serves. */
import type { ExecutionContext } from 'ava';
import { LiveRun } from '../../../src/live/live-run.ts';
import { livePages } from '../../../src/live/pages.ts';
import { PHASES, type Phase } from '../../../src/metrics/catalogue.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import { recordAll } from '../../../src/metrics/record-all.ts';
import type { Recorder, StepRecord } from '../../../src/metrics/records.ts';
import { startMetricsServer } from '../../../src/metrics/server.ts';
import { parseSeries, RUN } from '../../metrics/scrape.ts';
import { DESCRIPTION, stepRecord } from '../sample-points.ts';

/** Busy seconds of two workers a second of training. */
const BUSY = [0.86, 0.25];

export class RecordedRun {
  readonly url: string;
  readonly live: LiveRun;
  readonly recorder: Recorder;
  readonly #metrics: Metrics;
  #step = 0;
  /** Of all phases. */
  #seconds = 0;

  private constructor(url: string, live: LiveRun, metrics: Metrics) {
    this.url = url;
    this.live = live;
    this.recorder = recordAll([metrics, live]);
    this.#metrics = metrics;
  }

  /** `now`: Unix time in milliseconds. */
  static async start(t: ExecutionContext, now: () => number = Date.now): Promise<RecordedRun> {
    const description = { ...DESCRIPTION, phases: [...PHASES] };
    const live = new LiveRun(description, now);
    const source = createMetrics({ run: 'r', now });
    const pages = livePages(live);
    const server = await startMetricsServer({ host: '127.0.0.1', port: 0, source, pages });
    t.teardown(async () => {
      await server.close();
      source.close();
    });
    const run = new RecordedRun(server.url, live, source);
    run.recorder.recordRun({ ...RUN, workers: 2, clipNorm: 1 });
    live.begin(description);
    return run;
  }

  /** Steps that take longer and longer, every third of them clipped. */
  train(steps: number): void {
    for (let i = 0; i < steps; i++) {
      const step = ++this.#step;
      const isClipped = step % 3 === 0;
      const norm = { gradNorm: isClipped ? 1.6 : 0.8, clipScale: isClipped ? 0.625 : 1 };
      const phaseSeconds = { load: 0.002, compute: 0.01 + 0.001 * step, update: 0.003 };
      this.#spend(phaseSeconds);
      const busySeconds = this.#busySeconds;
      this.recorder.recordStep(stepRecord(step, { ...norm, phaseSeconds, busySeconds }));
    }
  }

  validate(seconds: number): void {
    this.recorder.recordEvaluationBegin();
    this.recorder.recordEvaluation({ step: this.#step, loss: 2, bestLoss: 2, seconds });
    this.#spend({ evaluate: seconds });
  }

  phase(phase: Phase, seconds: number): void {
    this.recorder.recordPhase(phase, seconds);
    this.#spend({ [phase]: seconds });
  }

  /** Values of now by the names of their series without the prefix: the server's own answer may be a moment old. */
  async scrape(): Promise<(name: string) => number> {
    const series = parseSeries(await this.#metrics.render());
    return (name) => series.get(`threadloom_${name}`) ?? Number.NaN;
  }

  #spend(phaseSeconds: StepRecord['phaseSeconds']): void {
    for (const seconds of Object.values(phaseSeconds)) this.#seconds += seconds;
    this.recorder.recordPool({
      workers: 2,
      restarts: 0,
      repeatedTasks: 0,
      actorRestarts: {},
      busySeconds: this.#busySeconds,
    });
  }

  get #busySeconds(): number[] {
    return BUSY.map((share) => share * this.#seconds);
  }
}
