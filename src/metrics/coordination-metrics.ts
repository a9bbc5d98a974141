/** Where the time of the steps goes: phases, tasks, workers. */
import type { Counter, Histogram } from 'prom-client';
import { median } from '../statistics.ts';
import { PHASES, type Phase, TASK_PHASES } from './catalogue.ts';
import type { Instruments } from './definitions.ts';
import type { PoolRecord, StepRecord, TaskRecord } from './records.ts';

/** Workers that have a series of their own; all others share one. */
const SHOWN_WORKERS = 64;

// Children are kept because finding one by its labels takes three times as long as counting.
type Children = ReadonlyMap<Phase, Histogram.Internal<'phase'>>;

export class CoordinationMetrics {
  readonly #instruments: Instruments;
  readonly #seconds: Children;
  readonly #waits: Children;
  readonly #gaps: Children;
  readonly #busySeconds: Counter.Internal[] = [];

  constructor(instruments: Instruments) {
    this.#instruments = instruments;
    this.#seconds = childrenOf(instruments.phaseSeconds, PHASES);
    this.#waits = childrenOf(instruments.queueWait, TASK_PHASES);
    this.#gaps = childrenOf(instruments.stragglerGap, TASK_PHASES);
  }

  recordPhase(phase: Phase, seconds: number): void {
    this.#seconds.get(phase)!.observe(seconds);
  }

  recordStep({ phaseSeconds, tasks }: Pick<StepRecord, 'phaseSeconds' | 'tasks'>): void {
    for (const [phase, child] of this.#seconds) {
      const seconds = phaseSeconds[phase];
      if (seconds !== undefined) child.observe(seconds);
    }
    for (const phase of TASK_PHASES) {
      const ofPhase = tasks[phase];
      if (!ofPhase) continue;
      const wait = this.#waits.get(phase)!;
      for (const { waitSeconds } of ofPhase) wait.observe(waitSeconds);
      this.#gaps.get(phase)!.observe(stragglerGap(ofPhase));
    }
  }

  recordPool({ workers, restarts, repeatedTasks, actorRestarts, busySeconds }: PoolRecord): void {
    const instruments = this.#instruments;
    instruments.workers.set(workers);
    setTotal(instruments.workerRestarts, restarts);
    setTotal(instruments.repeatedTasks, repeatedTasks);
    instruments.actorRestarts.reset();
    for (const [actor, count] of Object.entries(actorRestarts)) {
      instruments.actorRestarts.inc({ actor }, count);
    }
    instruments.workerBusySeconds.reset();
    for (const [worker, seconds] of busySeconds.entries()) this.#workerChild(worker).inc(seconds);
  }

  #workerChild(worker: number): Counter.Internal {
    const shown = Math.min(worker, SHOWN_WORKERS);
    this.#busySeconds[shown] ??= this.#instruments.workerBusySeconds.labels({
      worker: shown < SHOWN_WORKERS ? shown : 'other',
    });
    return this.#busySeconds[shown];
  }
}

/** Time by which the slowest task took longer than the median one; 0 for a single task. */
function stragglerGap(tasks: readonly TaskRecord[]): number {
  const seconds = tasks.map((task) => task.seconds);
  return Math.max(...seconds) - median(seconds);
}

/** All begin at zero: a phase that has not happened yet is known to have taken no time. */
function childrenOf(histogram: Histogram<'phase'>, phases: readonly Phase[]): Children {
  for (const phase of phases) histogram.zero({ phase });
  return new Map(phases.map((phase) => [phase, histogram.labels({ phase })]));
}

/** A counter as another owner counts it; were that one to begin anew, Prometheus sees a reset. */
export function setTotal(counter: Counter, total: number): void {
  counter.reset();
  counter.inc(total);
}
