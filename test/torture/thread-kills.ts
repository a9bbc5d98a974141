/** Threads of the product die at moments that a seed draws, in steps on an engine and in whole runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../src/config/config.ts';
import { messageOf } from '../../src/errors.ts';
import { loadNativeKernels } from '../../src/kernels/native.ts';
import type { TrainResult } from '../../src/recipes/reports.ts';
import { resume, type TrainOptions, train } from '../../src/recipes/train.ts';
import { FaultInjector } from '../faults/injector.ts';
import { ACTOR_OF, type Job } from '../faults/orders.ts';
import { type Draw, drawOrders, drawsOf, type OrderKinds, pick } from '../faults/random.ts';
import { POOL_ORDERS, startSmallEngine, trainSmall } from '../faults/small-engine.ts';
import { logsOf, TINY_SETTINGS } from '../helpers/runs.ts';
import { stateOf } from '../helpers/state.ts';
import { writeText } from '../helpers/text.ts';
import { addKills, emptyReport, type Report } from './report.ts';

const CELLS = ['rnn', 'lstm', 'gru'] as const;
const BACKENDS = (['wasm', 'reference', 'native'] as const).filter(
  (backend) => backend !== 'native' || loadNativeKernels().available,
);
/** Schedules on one engine. */
const BATCH = 20;

/** Kills workers of one engine in the steps of many small trainings. */
export async function killWorkersOfSteps(seed: number): Promise<Report> {
  const draw = drawsOf(seed);
  const report = emptyReport();
  const injector = new FaultInjector();
  const cell = pick(draw, CELLS);
  const { engine, plan } = await startSmallEngine(
    cell,
    pick(draw, BACKENDS),
    1 + draw(4),
    () => {},
  );
  try {
    const undisturbed = await trainSmall({ engine, plan }, { atOnce: 1, ahead: false });
    for (let i = 0; i < BATCH; i++) {
      injector.order(drawOrders(draw, POOL_ORDERS));
      const givingOut = { atOnce: 1 + draw(4), ahead: draw(4) > 0 };
      const trained = await trainSmall({ engine, plan }, givingOut);
      if (!isDeepStrictEqual(trained, undisturbed)) report.mismatches.push('other bits of steps');
      count(report, injector);
    }
  } finally {
    injector.remove();
    await engine.pool.close();
  }
  return report;
}

/** Kills threads of all kinds in a run that is stopped and resumed with another number of workers. */
export async function killThreadsOfRun(seed: number): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
  try {
    return await disturb(drawsOf(seed), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function disturb(draw: Draw, folder: string): Promise<Report> {
  const report = emptyReport();
  const steps = 20 + draw(30);
  const settings = { ...drawSettings(draw, steps), files: [writeText(folder)] };
  const whole = await train({ ...settings, run: join(folder, 'whole') });
  const run = join(folder, 'disturbed');
  const injector = new FaultInjector();
  try {
    let result: TrainResult | undefined;
    do {
      const stop = (result?.steps ?? 0) + 1 + draw(steps);
      const options = watch(injector, report, stop, draw(3 * steps));
      const workers = 1 + draw(4);
      injector.order(drawOrders(draw, ordersOf(stop - (result?.steps ?? 0))));
      if (result) report.resumes++;
      result = result
        ? await resume(run, { workers }, options)
        : await train({ ...settings, workers, run }, options);
      report.mismatches.push(...result.failures);
      count(report, injector);
    } while (result.interrupted);
    report.mismatches.push(...differences(result, whole));
  } catch (error) {
    report.mismatches.push(`it failed: ${messageOf(error)}`);
  } finally {
    injector.remove();
  }
  return report;
}

/** One of each job, because a thread is also ended at any moment: three deaths of one task are not to come. */
function ordersOf(steps: number): OrderKinds {
  // Eight chunks are filled at once.
  const calls: Partial<Record<Job, number>> = {
    ...{ train: steps, reduce: steps, update: steps },
    fill: Math.ceil(steps / 8),
  };
  return {
    jobs: [
      ...(['train', 'reduce', 'update', 'fill', 'ping', 'pack', 'snapshot', 'evaluate'] as const),
      ...(['scan', 'use', 'write', 'write', 'publish'] as const),
    ],
    most: 6,
    mostOfJob: 1,
    spared: (job) => calls[job] ?? 1,
  };
}

function drawSettings(draw: Draw, steps: number): Settings {
  return {
    ...TINY_SETTINGS,
    steps,
    cell: pick(draw, CELLS),
    backend: pick(draw, BACKENDS),
    optimizer: pick(draw, ['sgd', 'adam', 'adamw', 'rmsprop'] as const),
    batch: 4 + draw(8),
    layers: 1 + draw(2),
    dropout: draw(2) * 0.3,
    evalEvery: draw(2) * (3 + draw(8)),
    checkpointEvery: draw(10),
    tokens: pick(draw, ['char', 'byte'] as const),
    workerTimeout: 2,
    ...(draw(2) === 1 && { metrics: true, metricsPort: 0 }),
  };
}

/** Ends the run at a step; ends some thread, whatever it does, at a report; measures how soon after a death it goes on. */
function watch(injector: FaultInjector, report: Report, stop: number, kill: number): TrainOptions {
  const controller = new AbortController();
  let reports = 0;
  const goOn = () => {
    const now = performance.now();
    const death = injector.deaths.splice(0).at(-1);
    if (death !== undefined) report.recoverySeconds.push((now - death) / 1000);
    if (reports++ !== kill) return;
    const [thread] = injector.living;
    void thread?.terminate();
    addKills(report, 'terminate at any moment');
  };
  injector.deaths.length = 0;
  return {
    signal: controller.signal,
    onStep({ step }) {
      goOn();
      if (step === stop) controller.abort();
    },
    onEvaluation: goOn,
    onCheckpoint: goOn,
  };
}

function count(report: Report, injector: FaultInjector): void {
  report.schedules++;
  for (const { manner, job } of injector.done) {
    addKills(report, `${manner} of a ${ACTOR_OF[job] ?? 'worker'}`);
  }
}

function differences(result: TrainResult, whole: TrainResult): string[] {
  const state = (path: string | null) => stateOf(String(path));
  const same = {
    parameters: result.paramsSha256 === whole.paramsSha256,
    logs: isDeepStrictEqual(logsOf(result.run), logsOf(whole.run)),
    state: isDeepStrictEqual(state(result.checkpoint), state(whole.checkpoint)),
  };
  return Object.entries(same).flatMap(([what, equal]) => (equal ? [] : [`other ${what}`]));
}
