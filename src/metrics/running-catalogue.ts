/** Metrics of what computes: coordination, data, memory, checkpoints, the run itself. Part of the catalogue (catalogue.ts). */
import { counter, gauge, histogram } from './definition.ts';

/** From 100 µs (the clip of a small step) to 60 s (an evaluation of a large text). */
const PHASE_BUCKETS = [
  1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** From 10 µs to 1 s. */
const WAIT_BUCKETS = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.1, 1];

export const coordination = {
  phaseSeconds: histogram(
    'phase_seconds',
    'seconds',
    'Wall time of each phase of a step, and of snapshots, gradients, samples and validations.',
    { buckets: PHASE_BUCKETS, labels: ['phase'], query: 'rate($_sum[1m])' },
  ),
  queueWait: histogram(
    'queue_wait_seconds',
    'seconds',
    'Time from when a task was handed out and the phase before it was over until its thread began it.',
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
    'Threads beside the workers (the loader, the checkpoint writer, the server of the metrics) that died and were replaced.',
    { labels: ['actor'], query: 'increase($[10m])' },
  ),
  eventLoopLag: gauge(
    'event_loop_lag_seconds',
    'seconds',
    'How late the main thread got to its work since the scrape before, by percentile: 50 the median, 99 nearly the latest.',
    { labels: ['percentile'], query: '$ > 0.1' },
  ),
};

export const data = {
  ringFilled: gauge(
    'ring_filled_slots',
    'chunks',
    'Chunks in the ring when the last step was done, its own included; more than half of the slots are filled where the loader keeps up, which is asked for half of them at once.',
  ),
  ringSlots: gauge('ring_slots', 'chunks', 'Chunks the ring in shared memory holds.', {
    query: 'threadloom_ring_filled_slots / $',
  }),
  bytesRead: counter('read_bytes_total', 'bytes', 'Bytes of text read by the loader.'),
};

export const memory = {
  arenaBytes: gauge('arena_bytes', 'bytes', 'Shared memory of the run, by what it is for.', {
    labels: ['region'],
    query: 'sum by (run) ($)',
  }),
};

export const checkpoints = {
  checkpoints: counter('checkpoints_total', 'checkpoints', 'Checkpoints written.', {
    query: 'increase($[1h])',
  }),
  checkpointFailures: counter(
    'checkpoint_failures_total',
    'checkpoints',
    'Checkpoints that could not be written.',
    { query: 'increase($[1h])' },
  ),
  checkpointFailuresInARow: gauge(
    'checkpoint_failures_in_a_row',
    'checkpoints',
    'Checkpoints that could not be written since the last one that was; 0 where all is well.',
    { query: '$ > 0' },
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

export const run = {
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
