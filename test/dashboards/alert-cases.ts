/** Series that make each alert fire, and series that come close and must not. */

export interface AlertCase {
  alert: string;
  /** What goes on. */
  title: string;
  /** Name, and labels beside job, instance and run, to values 15 s apart in promtool's notation. */
  series: Readonly<Record<string, string>>;
  /** When it fires and what it says; undefined where it must never fire. */
  fires?: {
    notAt: string;
    at: string;
    /** When it is over, where that is tried. */
    notAfter?: string;
    /** Beside job, instance, run and severity. */
    labels?: Readonly<Record<string, string>>;
    description: string;
  };
}

const TRAINS = { threadloom_training_active: '1+0x199 stale' };
const OF_R = 'the run r on host:9464';
const HALT =
  'The run r on host:9464 trains, but its steps (0 more) have come to a halt: for a minute in which it hardly computed, or for 15 minutes.';

const noProgress: AlertCase[] = [
  {
    alert: 'ThreadloomNoProgress',
    title: 'no step and no work after two minutes',
    series: {
      ...TRAINS,
      threadloom_steps_total: '0+10x8 80+0x40',
      process_cpu_seconds_total: '0+30x8 240+0.1x40',
    },
    fires: { notAt: '165s', at: '210s', description: HALT },
  },
  {
    alert: 'ThreadloomNoProgress',
    title: 'no step but work for more than a quarter of an hour',
    series: {
      ...TRAINS,
      threadloom_steps_total: '0+10x8 80+0x120',
      process_cpu_seconds_total: '0+30x130',
      'threadloom_phase_seconds_sum{phase="evaluate"}': '20+0x130',
      'threadloom_phase_seconds_count{phase="evaluate"}': '2+0x130',
    },
    fires: { notAt: '16m45s', at: '17m45s', description: HALT },
  },
  {
    alert: 'ThreadloomNoProgress',
    title: 'a validation of ten minutes, which computes',
    series: {
      ...TRAINS,
      threadloom_steps_total: '0+10x8 80+0x40 80+10x151',
      process_cpu_seconds_total: '0+30x200',
    },
  },
  {
    alert: 'ThreadloomNoProgress',
    title: 'a validation of twenty minutes, as the one before it',
    series: {
      ...TRAINS,
      threadloom_steps_total: '0+10x8 80+0x80 80+10x110',
      process_cpu_seconds_total: '0+30x200',
      'threadloom_phase_seconds_sum{phase="evaluate"}': '1200+0x89 2400+0x110',
      'threadloom_phase_seconds_count{phase="evaluate"}': '1+0x89 2+0x110',
    },
  },
  {
    alert: 'ThreadloomNoProgress',
    title: 'a run that has ended and lingers',
    series: {
      threadloom_training_active: '1+0x8 0+0x80',
      threadloom_steps_total: '0+10x8 80+0x80',
      process_cpu_seconds_total: '0+30x8 240+0x80',
    },
  },
  {
    alert: 'ThreadloomNoProgress',
    title: 'a step in 45 seconds while the loader waits for the disk',
    series: {
      ...TRAINS,
      threadloom_steps_total: Array.from({ length: 201 }, (_, i) => Math.floor(i / 3)).join(' '),
      process_cpu_seconds_total: '0+0.1x200',
    },
  },
];

const refused = (value: number | string) =>
  `The run r on host:9464 refused a step whose loss or gradient was not a finite number (value ${value}), and ends with the state before it.`;

const notFinite: AlertCase[] = [
  {
    alert: 'ThreadloomLossNotFinite',
    title: 'a step was refused',
    series: { threadloom_not_finite_steps_total: '0+0x4 1+0x4', threadloom_train_loss: '2+0x8' },
    fires: { notAt: '60s', at: '75s', description: refused(1) },
  },
  {
    alert: 'ThreadloomLossNotFinite',
    title: 'a step was refused, and the run is gone after one scrape more',
    series: {
      threadloom_not_finite_steps_total: '0+0x4 1 stale',
      threadloom_train_loss: '2+0x5 stale',
    },
    fires: { notAt: '60s', at: '16m', notAfter: '16m30s', description: refused(1) },
  },
  {
    alert: 'ThreadloomLossNotFinite',
    title: 'the loss is no number',
    series: {
      threadloom_not_finite_steps_total: '0+0x9',
      threadloom_train_loss: '2+0x4 NaN stale',
    },
    fires: { notAt: '60s', at: '75s', description: refused('NaN') },
  },
  {
    alert: 'ThreadloomLossNotFinite',
    title: 'the loss is infinite',
    series: {
      threadloom_not_finite_steps_total: '0+0x9',
      threadloom_train_loss: '2+0x4 Inf stale',
    },
    fires: { notAt: '60s', at: '5m', description: refused('+Inf') },
  },
  {
    alert: 'ThreadloomLossNotFinite',
    title: 'a loss that is very large',
    series: { threadloom_not_finite_steps_total: '0+0x40', threadloom_train_loss: '2 1e30+0x39' },
  },
  {
    alert: 'ThreadloomLossNotFinite',
    title: 'no step yet',
    series: { threadloom_not_finite_steps_total: '0+0x40' },
  },
];

const START = { threadloom_run_start_timestamp_seconds: '0+0x200' };

const diverging: AlertCase[] = [
  {
    alert: 'ThreadloomLossDiverging',
    title: 'the loss falls to 1 and rises to 1.6',
    series: { ...START, threadloom_train_loss: '3-0.1x20 1+0x10 1.6+0x40' },
    fires: {
      notAt: '9m45s',
      at: '11m15s',
      description: `The mean training loss of ${OF_R} is 1.600 nats a token, above 1.5 times its lowest, and has been for two minutes.`,
    },
  },
  {
    alert: 'ThreadloomLossDiverging',
    title: 'the loss falls to 1 and rises to 1.45',
    series: { ...START, threadloom_train_loss: '3-0.1x20 1+0x10 1.45+0x60' },
  },
  {
    alert: 'ThreadloomLossDiverging',
    title: 'a loss near nothing doubles',
    series: { ...START, threadloom_train_loss: '0.05+0x40 0.1+0x60' },
  },
  {
    alert: 'ThreadloomLossDiverging',
    title: 'one bad minute',
    series: { ...START, threadloom_train_loss: '1+0x40 4+0x3 1+0x60' },
  },
  {
    alert: 'ThreadloomLossDiverging',
    title: 'a new run of the same name begins where no run has learnt',
    series: {
      threadloom_run_start_timestamp_seconds: '0+0x40 615+0x80',
      threadloom_train_loss: '1+0x40 4.7-0.01x80',
    },
  },
];

const vanishing: AlertCase[] = [
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'the last lag is a ten-millionth of the first',
    series: {
      'threadloom_gradient_norm_by_lag{layer="1", lag="0"}': '0.5+0x40',
      'threadloom_gradient_norm_by_lag{layer="1", lag="8"}': '1e-4+0x40',
      'threadloom_gradient_norm_by_lag{layer="1", lag="32"}': '0.01+0x7 5e-8+0x32',
      'threadloom_gradient_norm_by_lag{layer="0", lag="0"}': '0.5+0x40',
      'threadloom_gradient_norm_by_lag{layer="0", lag="32"}': '0.1+0x40',
    },
    fires: {
      notAt: '3m45s',
      at: '4m15s',
      labels: { layer: '1' },
      description: `In layer 1 of ${OF_R} the gradient at the faintest lag is 1.0e-07 of that at lag 0.`,
    },
  },
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'the last lag is two millionths of the first',
    series: {
      'threadloom_gradient_norm_by_lag{layer="0", lag="0"}': '1+0x40',
      'threadloom_gradient_norm_by_lag{layer="0", lag="32"}': '2e-6+0x40',
    },
  },
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'small gradients at every lag',
    series: {
      'threadloom_gradient_norm_by_lag{layer="0", lag="0"}': '1e-7+0x40',
      'threadloom_gradient_norm_by_lag{layer="0", lag="32"}': '1e-9+0x40',
    },
  },
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'one look of a minute',
    series: {
      'threadloom_gradient_norm_by_lag{layer="0", lag="0"}': '1+0x40',
      'threadloom_gradient_norm_by_lag{layer="0", lag="32"}': '1e-3+0x8 1e-9+0x4 1e-3+0x20',
    },
  },
];

const exploding: AlertCase[] = [
  {
    alert: 'ThreadloomGradientsExploding',
    title: 'a norm of 120 times the median',
    series: {
      threadloom_steps_total: '100+10x60',
      threadloom_gradient_norm: '0.5+0x20 60 0.5+0x40',
    },
    fires: {
      notAt: '5m',
      at: '5m30s',
      description: `In ${OF_R} the gradient norm rose to 120 times its median of half an hour.`,
    },
  },
  {
    alert: 'ThreadloomGradientsExploding',
    title: 'the gradient grows on its way back',
    series: {
      'threadloom_gradient_norm_by_lag{layer="0", lag="0"}': '1+0x40',
      'threadloom_gradient_norm_by_lag{layer="0", lag="16"}': '10+0x20 2000+0x20',
    },
    fires: {
      notAt: '5m',
      at: '5m15s',
      labels: { layer: '0' },
      description: `In ${OF_R} the gradient of layer 0 grows on its way back through time, to 2k times that at lag 0.`,
    },
  },
  {
    alert: 'ThreadloomGradientsExploding',
    title: 'a norm of 90 times the median',
    series: {
      threadloom_steps_total: '100+10x60',
      threadloom_gradient_norm: '0.5+0x20 45 0.5+0x40',
    },
  },
  {
    alert: 'ThreadloomGradientsExploding',
    title: 'the first steps settle',
    series: { threadloom_steps_total: '1+1x8', threadloom_gradient_norm: '0.01+0x6 5 5' },
  },
  {
    alert: 'ThreadloomGradientsExploding',
    title: 'the gradient grows 900 times on its way back',
    series: {
      'threadloom_gradient_norm_by_lag{layer="0", lag="0"}': '1+0x40',
      'threadloom_gradient_norm_by_lag{layer="0", lag="16"}': '900+0x40',
    },
  },
];

/** Phases that take `load` and `compute` seconds every 15 seconds, with a straggler gap of `gap`. */
function shares({ load = 0, compute = 0, gap = 0 }): Record<string, string> {
  return {
    'threadloom_phase_seconds_sum{phase="load"}': `0+${load}x60`,
    'threadloom_phase_seconds_sum{phase="compute"}': `0+${compute}x60`,
    'threadloom_phase_seconds_sum{phase="evaluate"}': '0+0x60',
    'threadloom_straggler_gap_seconds_sum{phase="compute"}': `0+${gap}x60`,
  };
}

const straggler: AlertCase[] = [
  {
    alert: 'ThreadloomStraggler',
    title: 'half of the compute phase is waiting',
    series: shares({ load: 1, compute: 14, gap: 7.5 }),
    fires: {
      notAt: '1m45s',
      at: '3m',
      description: `In ${OF_R} 50% of a step are spent waiting for the slowest task, which takes half as long again as the median one.`,
    },
  },
  {
    alert: 'ThreadloomStraggler',
    title: 'a quarter of the compute phase is waiting',
    series: shares({ compute: 15, gap: 3.75 }),
  },
  {
    alert: 'ThreadloomStraggler',
    title: 'half of a compute phase that is short',
    series: shares({ load: 10, compute: 5, gap: 2.5 }),
  },
];

const loader: AlertCase[] = [
  {
    alert: 'ThreadloomLoaderStarving',
    title: 'a quarter of a step waits for text',
    series: shares({ load: 3.75, compute: 11.25 }),
    fires: {
      notAt: '1m45s',
      at: '3m',
      description: `25% of a step of ${OF_R} are spent waiting for the loader.`,
    },
  },
  {
    alert: 'ThreadloomLoaderStarving',
    title: 'a sixth of a step waits for text',
    series: shares({ load: 2.5, compute: 12.5 }),
  },
  {
    alert: 'ThreadloomLoaderStarving',
    title: 'a long wait at the start only',
    series: {
      'threadloom_phase_seconds_sum{phase="load"}': '0 6 7+0x60',
      'threadloom_phase_seconds_sum{phase="compute"}': '0+14x60',
    },
  },
];

const restarting: AlertCase[] = [
  {
    alert: 'ThreadloomWorkerRestarting',
    title: 'a worker dies twice and the loader once',
    series: {
      threadloom_worker_restarts_total: '0+0x40 2+0x20',
      'threadloom_actor_restarts_total{actor="loader"}': '0+0x40 1+0x20',
      'threadloom_actor_restarts_total{actor="writer"}': '0+0x60',
    },
    fires: {
      notAt: '10m',
      at: '10m15s',
      description: `Threads of ${OF_R} died and were replaced in the last ten minutes, in all 3.`,
    },
  },
  {
    alert: 'ThreadloomWorkerRestarting',
    title: 'two restarts an hour ago, before the first scrape',
    series: {
      threadloom_worker_restarts_total: '2+0x60',
      'threadloom_actor_restarts_total{actor="loader"}': '1+0x60',
    },
  },
  {
    alert: 'ThreadloomWorkerRestarting',
    title: 'the process begins anew and counts from 0',
    series: {
      threadloom_worker_restarts_total: '2+0x20 0+0x40',
      'threadloom_actor_restarts_total{actor="loader"}': '1+0x20 0+0x40',
    },
  },
];

const old = (age: string) =>
  `The run r on host:9464 wrote its last checkpoint ${age} ago: more than ten minutes, and three times the usual interval (half an hour before the second).`;

const stale: AlertCase[] = [
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'a checkpoint every three minutes, then none',
    series: {
      ...TRAINS,
      ...START,
      threadloom_checkpoints_total: '1+0x11 2+0x11 3+0x11 4+0x80',
      threadloom_last_checkpoint_timestamp_seconds: '0+0x11 180+0x11 360+0x11 540+0x80',
      threadloom_checkpoint_age_seconds: '0+15x11 0+15x11 0+15x11 0+15x80',
    },
    fires: { notAt: '18m45s', at: '19m30s', description: old('10m 30s') },
  },
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'none since the start',
    series: { ...TRAINS, ...START, threadloom_checkpoints_total: '0+0x140' },
    fires: { notAt: '29m45s', at: '30m30s', description: old('30m 30s') },
  },
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'a checkpoint every 20 minutes, as always',
    series: {
      ...TRAINS,
      ...START,
      threadloom_checkpoints_total: '1+0x79 2+0x79 3+0x40',
      threadloom_last_checkpoint_timestamp_seconds: '0+0x79 1200+0x79 2400+0x40',
      threadloom_checkpoint_age_seconds: '0+15x79 0+15x79 0+15x40',
    },
  },
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'a run that has ended and lingers',
    series: {
      ...START,
      threadloom_training_active: '1+0x10 0+0x190',
      threadloom_checkpoints_total: '2+0x200',
      threadloom_last_checkpoint_timestamp_seconds: '150+0x200',
      threadloom_checkpoint_age_seconds: '0+15x200',
    },
  },
];

const failing: AlertCase[] = [
  {
    alert: 'ThreadloomCheckpointFailing',
    title: 'checkpoints half an hour apart cannot be written, until one is',
    series: { threadloom_checkpoint_failures_in_a_row: '0+0x40 1+0x119 2+0x19 0+0x40' },
    fires: {
      notAt: '10m',
      at: '40m',
      notAfter: '45m15s',
      description: `Checkpoints of ${OF_R} cannot be written: so many failed since the last that was written, 1.`,
    },
  },
  {
    alert: 'ThreadloomCheckpointFailing',
    title: 'the last checkpoint of a run could not be written, and the run is gone',
    series: { threadloom_checkpoint_failures_in_a_row: '0+0x40 1 stale' },
    fires: {
      notAt: '10m',
      at: '25m',
      notAfter: '26m',
      description: `Checkpoints of ${OF_R} cannot be written: so many failed since the last that was written, 1.`,
    },
  },
  {
    alert: 'ThreadloomCheckpointFailing',
    title: 'one skipped, none failed',
    series: {
      threadloom_checkpoint_skipped_total: '0+0x40 1+0x40',
      threadloom_checkpoint_failures_total: '0+0x80',
      threadloom_checkpoint_failures_in_a_row: '0+0x80',
    },
  },
  {
    alert: 'ThreadloomCheckpointFailing',
    title: 'one failed before the first scrape, and the next was written',
    series: {
      threadloom_checkpoint_failures_total: '1+0x80',
      threadloom_checkpoint_failures_in_a_row: '0+0x80',
    },
  },
];

const runFailed: AlertCase[] = [
  {
    alert: 'ThreadloomRunFailed',
    title: 'a run fails and is gone after one scrape more',
    series: {
      threadloom_training_active: '1+0x4 0 stale',
      threadloom_run_failed: '0+0x4 1 stale',
    },
    fires: {
      notAt: '60s',
      at: '16m',
      notAfter: '16m30s',
      description:
        'The run r on host:9464 has ended with an error, or without writing all it should have (threadloom_run_failed 1).',
    },
  },
  {
    alert: 'ThreadloomRunFailed',
    title: 'a run ends as planned',
    series: {
      threadloom_training_active: '1+0x20 0 stale',
      threadloom_run_failed: '0+0x21 stale',
    },
  },
  {
    alert: 'ThreadloomRunFailed',
    title: 'a run trains whose worker died twice',
    series: {
      ...TRAINS,
      threadloom_run_failed: '0+0x100',
      threadloom_worker_restarts_total: '0+0x40 2+0x60',
    },
  },
];

const targetDown: AlertCase[] = [
  {
    alert: 'ThreadloomTargetDown',
    title: 'a run is gone with an hour to go',
    series: {
      up: '1+0x20 0+0x60',
      threadloom_training_active: '1+0x20 stale',
      threadloom_seconds_left: '3600-15x20 stale',
    },
    fires: {
      notAt: '6m',
      at: '6m45s',
      description:
        'host:9464 does not answer any more, and the run r trained there with more than a minute to go when it last did (threadloom_training_active 1).',
    },
  },
  {
    alert: 'ThreadloomTargetDown',
    title: 'a run ends as planned without a last scrape',
    series: {
      up: '1+0x20 0+0x60',
      threadloom_training_active: '1+0x20 stale',
      threadloom_seconds_left: '310-15x20 stale',
    },
  },
  {
    alert: 'ThreadloomTargetDown',
    title: 'a run has said that it ended',
    series: {
      up: '1+0x24 0+0x60',
      threadloom_training_active: '1+0x20 0+0x3 stale',
      threadloom_seconds_left: '3600-15x20 stale',
    },
  },
  {
    alert: 'ThreadloomTargetDown',
    title: 'no run was ever started there',
    series: { up: '0+0x80' },
  },
  {
    alert: 'ThreadloomTargetDown',
    title: 'three scrapes fail',
    series: {
      up: '1+0x20 0+0x2 1+0x40',
      threadloom_training_active: '1+0x20 stale _ _ 1+0x40',
      threadloom_seconds_left: '3600+0x20 stale _ _ 3600+0x40',
    },
  },
];

export const ALERT_CASES: readonly AlertCase[] = [
  ...noProgress,
  ...notFinite,
  ...diverging,
  ...vanishing,
  ...exploding,
  ...straggler,
  ...loader,
  ...restarting,
  ...stale,
  ...failing,
  ...runFailed,
  ...targetDown,
];
