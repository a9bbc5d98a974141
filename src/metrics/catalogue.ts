/** Every metric of a run in one place: name, unit, help, labels, an example query. */
import { counter, gauge, histogram } from './definition.ts';

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

/** From 100 µs (the clip of a small step) to 60 s (an evaluation of a large text). */
const PHASE_BUCKETS = [
  1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

const training = {
  steps: counter('steps_total', 'steps', 'Optimizer steps since this process began.'),
  tokens: counter('tokens_total', 'tokens', 'Training tokens since this process began.'),
  step: gauge('step', 'steps', 'Number of the last step, counted over resumes.'),
  epoch: gauge('epoch', 'epochs', 'Epoch of the last step.'),
  trainLoss: gauge('train_loss', 'nats', 'Mean loss per training token of the last step.', {
    query: 'avg_over_time($[5m])',
  }),
  validationLoss: gauge('validation_loss', 'nats', 'Mean loss per token of the last validation.', {
    query: '$ - threadloom_train_loss',
  }),
  bestValidationLoss: gauge('best_validation_loss', 'nats', 'Lowest validation loss of the run.', {
    query: 'threadloom_validation_loss - $',
  }),
  learningRate: gauge('learning_rate', '', 'Learning rate of the last step.'),
  gradientNorm: gauge(
    'gradient_norm',
    '',
    'Global norm of the mean gradient of the last step, before clipping.',
    { query: 'max_over_time($[5m])' },
  ),
  clippedSteps: counter(
    'clipped_steps_total',
    'steps',
    'Steps whose gradient was scaled down to the largest norm allowed.',
    { query: 'rate($[5m]) / rate(threadloom_steps_total[5m])' },
  ),
};

const throughput = {
  tokensPerSecond: gauge(
    'tokens_per_second',
    'tokens per second',
    'Recent training throughput, as the progress line shows it.',
  ),
};

const coordination = {
  phaseSeconds: histogram(
    'phase_seconds',
    'seconds',
    'Wall time of each phase of a step, and of each snapshot and validation.',
    { buckets: PHASE_BUCKETS, labels: ['phase'], query: 'rate($_sum[1m])' },
  ),
  workers: gauge('workers', 'threads', 'Worker threads alive.'),
  workerBusySeconds: counter(
    'worker_busy_seconds_total',
    'seconds',
    'Time each worker thread spent in tasks.',
    { labels: ['worker'] },
  ),
  workerRestarts: counter(
    'worker_restarts_total',
    'restarts',
    'Worker threads that died and were replaced.',
    { query: 'increase($[10m])' },
  ),
  repeatedTasks: counter(
    'repeated_tasks_total',
    'tasks',
    'Tasks run again because their worker thread died.',
    { query: 'increase($[10m])' },
  ),
  actorRestarts: counter(
    'actor_restarts_total',
    'restarts',
    'Threads beside the workers, the loader and the checkpoint writer, that died and were replaced.',
    { labels: ['actor'], query: 'increase($[10m])' },
  ),
};

const memory = {
  arenaBytes: gauge('arena_bytes', 'bytes', 'Shared memory of the run.'),
};

const checkpoints = {
  checkpoints: counter('checkpoints_total', 'checkpoints', 'Checkpoints written.', {
    query: 'increase($[1h])',
  }),
  checkpointFailures: counter(
    'checkpoint_failures_total',
    'checkpoints',
    'Checkpoints that could not be written.',
    { query: 'increase($[10m]) > 0' },
  ),
  checkpointSkipped: counter(
    'checkpoint_skipped_total',
    'checkpoints',
    'Periodic checkpoints left out because the writer was still busy.',
    { query: 'increase($[1h])' },
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
    { query: 'time() - $' },
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
    { query: '$ > 0' },
  ),
};

const run = {
  runInfo: gauge(
    'run_info',
    '',
    'Always 1; the labels say what is trained, and with which kernels.',
    {
      labels: ['cell', 'backend', 'variant', 'version'],
      query: 'threadloom_tokens_per_second * on (run, instance) group_left (cell, backend) $',
    },
  ),
};

/** In the order of the README's table. */
export const CATALOGUE = {
  ...training,
  ...throughput,
  ...coordination,
  ...memory,
  ...checkpoints,
  ...run,
};
