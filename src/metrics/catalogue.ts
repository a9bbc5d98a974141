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
  'gradients',
  'sample',
  'evaluate',
] as const;
export type Phase = (typeof PHASES)[number];

/** From 100 µs (the clip of a small step) to 60 s (an evaluation of a large text). */
const PHASE_BUCKETS = [
  1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** From 10 µs to 1 s. */
const WAIT_BUCKETS = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.1, 1];

const training = {
  steps: counter('steps_total', 'steps', 'Optimizer steps since this process began.'),
  tokens: counter('tokens_total', 'tokens', 'Training tokens since this process began.'),
  step: gauge('step', 'steps', 'Number of the last step, counted over resumes.'),
  stepsPlanned: gauge('steps_planned', 'steps', 'Step after which the run ends.', {
    query: 'threadloom_step / $',
  }),
  secondsLeft: gauge(
    'seconds_left',
    'seconds',
    'Time to the end of the run at the present throughput.',
  ),
  active: gauge(
    'training_active',
    '',
    'Whether the run trains: 1, or 0 once it has ended and only its last values are served.',
  ),
  epoch: gauge('epoch', 'epochs', 'Epoch of the last step.'),
  trainLoss: gauge('train_loss', 'nats', 'Mean loss per training token of the last step.', {
    query: 'avg_over_time($[5m])',
  }),
  trainBits: gauge('train_bits_per_token', 'bits', 'The training loss in bits.'),
  trainPerplexity: gauge('train_perplexity', '', 'Exponential of the training loss in nats.'),
  validationLoss: gauge('validation_loss', 'nats', 'Mean loss per token of the last validation.', {
    query: '$ - threadloom_train_loss',
  }),
  validationBits: gauge('validation_bits_per_token', 'bits', 'The validation loss in bits.'),
  validationPerplexity: gauge(
    'validation_perplexity',
    '',
    'Exponential of the validation loss in nats.',
  ),
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
  clippedGradientNorm: gauge('clipped_gradient_norm', '', 'The same norm after clipping by norm.'),
  clipNorm: gauge('clip_norm', '', 'Largest gradient norm allowed; no series where it is off.', {
    query: 'threadloom_gradient_norm / $',
  }),
  clippedSteps: counter(
    'clipped_steps_total',
    'steps',
    'Steps whose gradient was scaled down to the largest norm allowed.',
    { query: 'rate($[5m]) / rate(threadloom_steps_total[5m])' },
  ),
  notFinite: counter(
    'not_finite_steps_total',
    'steps',
    'Steps refused because the loss or the gradient was not finite; the run ends with the first.',
    { query: 'increase($[1h]) > 0' },
  ),
};

const gradients = {
  layerGradientNorm: gauge(
    'layer_gradient_norm',
    '',
    'Norm of a layer’s part of the mean gradient, before clipping.',
    { labels: ['layer'] },
  ),
  updateRatio: gauge(
    'update_ratio',
    '',
    'Norm of a layer’s update over the norm of its weights; about 0.001 is healthy.',
    { labels: ['layer'] },
  ),
  normByLag: gauge(
    'gradient_norm_by_lag',
    '',
    'Norm of the derivative of the loss of a chunk’s last time step by the hidden state so many time steps before, mean over a bucket of lags 0, 1, 2–3, 4–7 and so on, named by its first.',
    { labels: ['layer', 'lag'], query: 'min by (layer) ($) / max by (layer) ($)' },
  ),
  saturation: gauge(
    'gate_saturation_ratio',
    '',
    'Share of a gate’s activations within 0.05 of a bound of its nonlinearity.',
    { labels: ['layer', 'gate'] },
  ),
  gradientsStep: gauge('gradients_step', 'steps', 'Step at which the metrics by layer were taken.'),
};

const throughput = {
  tokensPerSecond: gauge(
    'tokens_per_second',
    'tokens per second',
    'Recent training throughput, as the progress line shows it.',
  ),
  flops: counter(
    'floating_point_operations_total',
    'operations',
    'Floating-point operations of the steps since this process began, as the benchmarks count them.',
    { query: 'rate($[1m]) / 1e9' },
  ),
  peakFlops: gauge(
    'peak_flops',
    'operations per second',
    'What all worker threads can do at most, measured at the start.',
  ),
  peakShare: gauge(
    'peak_ratio',
    '',
    'Recent floating-point operations a second over the measured peak.',
  ),
};

const coordination = {
  phaseSeconds: histogram(
    'phase_seconds',
    'seconds',
    'Wall time of each phase of a step, and of snapshots, gradients, samples and validations.',
    { buckets: PHASE_BUCKETS, labels: ['phase'], query: 'rate($_sum[1m])' },
  ),
  queueWait: histogram(
    'queue_wait_seconds',
    'seconds',
    'Time from handing a task out until its thread began it.',
    {
      buckets: WAIT_BUCKETS,
      labels: ['phase'],
      query: 'histogram_quantile(0.99, sum by (le) (rate($_bucket[5m])))',
    },
  ),
  stragglerGap: histogram(
    'straggler_gap_seconds',
    'seconds',
    'Time by which the slowest task of a phase took longer than the median one.',
    { buckets: WAIT_BUCKETS, labels: ['phase'], query: 'rate($_sum[5m]) / rate($_count[5m])' },
  ),
  workers: gauge('workers', 'threads', 'Worker threads alive.'),
  workersPlanned: gauge('workers_planned', 'threads', 'Worker threads the run was started with.', {
    query: '$ - threadloom_workers',
  }),
  workerBusySeconds: counter(
    'worker_busy_seconds_total',
    'seconds',
    'Time each worker thread spent in tasks; of more than 64 workers, the rest under the label other.',
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

const data = {
  ringFilled: gauge(
    'ring_filled_slots',
    'chunks',
    'Chunks in the ring when the last step was done, its own included; all slots are filled where the loader keeps up.',
  ),
  ringSlots: gauge('ring_slots', 'chunks', 'Chunks the ring in shared memory holds.', {
    query: 'threadloom_ring_filled_slots / $',
  }),
  bytesRead: counter('read_bytes_total', 'bytes', 'Bytes of text read by the loader.'),
};

const memory = {
  arenaBytes: gauge('arena_bytes', 'bytes', 'Shared memory of the run, by what it is for.', {
    labels: ['region'],
    query: 'sum by (run) ($)',
  }),
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
    'Always 1; the labels say what is trained, how, and with which kernels.',
    {
      labels: [
        'cell',
        'hidden',
        'layers',
        'batch',
        'chunk',
        'lanes',
        'optimizer',
        'backend',
        'variant',
      ],
      query: 'threadloom_tokens_per_second * on (run, instance) group_left (cell, hidden) $',
    },
  ),
  buildInfo: gauge('build_info', '', 'Always 1; the labels say what the program is.', {
    labels: ['version', 'node', 'platform'],
  }),
  startTime: gauge(
    'run_start_timestamp_seconds',
    'seconds',
    'Unix time at which this process began to train.',
    { query: 'time() - $' },
  ),
};

/** In the order of the README's table. */
export const CATALOGUE = {
  ...training,
  ...gradients,
  ...throughput,
  ...coordination,
  ...data,
  ...memory,
  ...checkpoints,
  ...run,
};
