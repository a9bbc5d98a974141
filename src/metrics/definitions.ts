/** Every metric of a run in one place: name, type, unit, labels, help. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Where the time of a run goes; the values of the label `phase`. */
export const PHASES = [
  'load',
  'compute',
  'reduce',
  'clip',
  'update',
  'commit',
  'snapshot',
  'evaluate',
] as const;
export type Phase = (typeof PHASES)[number];

/** One metric as the README's table shows it. Every series carries the label `run` besides. */
export interface MetricEntry {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What one unit of the value is; empty where the value is not a quantity. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** From 100 µs (the clip of a small step) to 60 s (an evaluation of a large text). */
const PHASE_BUCKETS = [
  1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

const DEFINITIONS = {
  steps: counter('steps_total', 'steps', 'Optimizer steps since this process began.'),
  tokens: counter('tokens_total', 'tokens', 'Training tokens since this process began.'),
  step: gauge('step', 'steps', 'Number of the last step, counted over resumes.'),
  epoch: gauge('epoch', 'epochs', 'Epoch of the last step.'),
  trainLoss: gauge('train_loss', 'nats', 'Mean loss per training token of the last step.'),
  validationLoss: gauge('validation_loss', 'nats', 'Mean loss per token of the last validation.'),
  bestValidationLoss: gauge('best_validation_loss', 'nats', 'Lowest validation loss of the run.'),
  learningRate: gauge('learning_rate', '', 'Learning rate of the last step.'),
  gradientNorm: gauge('gradient_norm', '', 'Global gradient norm of the last step, not clipped.'),
  clippedSteps: counter(
    'clipped_steps_total',
    'steps',
    'Steps whose gradient was scaled down to the largest norm allowed.',
  ),
  tokensPerSecond: gauge(
    'tokens_per_second',
    'tokens per second',
    'Recent training throughput, as the progress line shows it.',
  ),
  phaseSeconds: histogram(
    'phase_seconds',
    'seconds',
    'Wall time of each phase of a step, and of each validation (evaluate).',
    PHASE_BUCKETS,
    'phase',
  ),
  workers: gauge('workers', 'threads', 'Worker threads alive.'),
  workerBusySeconds: counter(
    'worker_busy_seconds_total',
    'seconds',
    'Time each worker thread spent in tasks.',
    'worker',
  ),
  workerRestarts: counter(
    'worker_restarts_total',
    'restarts',
    'Worker threads that died and were replaced.',
  ),
  repeatedTasks: counter(
    'repeated_tasks_total',
    'tasks',
    'Tasks run again because their worker thread died.',
  ),
  actorRestarts: counter(
    'actor_restarts_total',
    'restarts',
    'Threads beside the workers, the loader and the checkpoint writer, that died and were replaced.',
    'actor',
  ),
  checkpoints: counter('checkpoints_total', 'checkpoints', 'Checkpoints written.'),
  checkpointFailures: counter(
    'checkpoint_failures_total',
    'checkpoints',
    'Checkpoints that could not be written.',
  ),
  checkpointSkipped: counter(
    'checkpoint_skipped_total',
    'checkpoints',
    'Periodic checkpoints left out because the writer was still busy.',
  ),
  checkpointDuration: gauge(
    'checkpoint_duration_seconds',
    'seconds',
    'Time the last checkpoint took to write.',
  ),
  checkpointBytes: gauge('checkpoint_bytes', 'bytes', 'Size of the last checkpoint.'),
  lastCheckpoint: gauge(
    'last_checkpoint_timestamp_seconds',
    'seconds',
    'Unix time at which the last checkpoint was complete.',
  ),
  checkpointAge: gauge(
    'checkpoint_age_seconds',
    'seconds',
    'Time since the last checkpoint was complete, at the scrape.',
  ),
  pendingLogBytes: gauge(
    'pending_log_bytes',
    'bytes',
    'Lines of the logs that wait for room on the disk; 0 where all is well.',
  ),
  arenaBytes: gauge('arena_bytes', 'bytes', 'Shared memory of the run.'),
  runInfo: gauge(
    'run_info',
    '',
    'Always 1; the labels say what is trained, and with which kernels.',
    'cell',
    'backend',
    'variant',
    'version',
  ),
};

/** The metrics of Threadloom itself, in the order of the README's table. */
export function metricEntries(): MetricEntry[] {
  return Object.values(DEFINITIONS).map(({ name, type, unit, labels, help }) => ({
    name,
    type,
    unit,
    labels,
    help,
  }));
}

/** One prom-client metric for each definition. */
export type Instruments = { [K in keyof typeof DEFINITIONS]: Instrument<(typeof DEFINITIONS)[K]> };

/** Creates all metrics in `registry`. A gauge has no series before its first value: 0 would be a lie. */
export function createInstruments(registry: Registry): Instruments {
  const built = Object.entries(DEFINITIONS).map(([key, definition]) => {
    const { type, name, help, labels, buckets } = definition as Definition<MetricType, string>;
    const settings = { name, help, labelNames: labels, registers: [registry] };
    if (type === 'counter') return [key, new Counter(settings)];
    if (type === 'histogram') return [key, new Histogram({ ...settings, buckets })];
    const instrument = new Gauge(settings);
    if (labels.length === 0) instrument.remove();
    return [key, instrument];
  });
  return Object.fromEntries(built) as Instruments;
}

type MetricType = MetricEntry['type'];

interface Definition<T extends MetricType, L extends string> extends MetricEntry {
  readonly type: T;
  readonly labels: readonly L[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: number[];
}

type Instrument<D> =
  D extends Definition<'counter', infer L>
    ? Counter<L>
    : D extends Definition<'gauge', infer L>
      ? Gauge<L>
      : D extends Definition<'histogram', infer L>
        ? Histogram<L>
        : never;

function counter<L extends string = never>(
  name: string,
  unit: string,
  help: string,
  ...labels: L[]
): Definition<'counter', L> {
  return { name: `threadloom_${name}`, type: 'counter', unit, help, labels };
}

function gauge<L extends string = never>(
  name: string,
  unit: string,
  help: string,
  ...labels: L[]
): Definition<'gauge', L> {
  return { name: `threadloom_${name}`, type: 'gauge', unit, help, labels };
}

function histogram<L extends string>(
  name: string,
  unit: string,
  help: string,
  buckets: number[],
  ...labels: L[]
): Definition<'histogram', L> {
  return { name: `threadloom_${name}`, type: 'histogram', unit, help, labels, buckets };
}
