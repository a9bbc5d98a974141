/** Where does the time go? */
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as PointsPanel,
  SeriesMapping,
  XYSeriesConfigBuilder,
  XYShowMode,
} from '@grafana/grafana-foundation-sdk/xychart';
import { dashboard } from './frame.ts';
import { DASHED, framed, lines, stat, table } from './panels.ts';
import { of, RATE, rate, rows } from './queries.ts';

/** The phases that every step has. */
const STEP_PHASES = 'phase=~"load|compute|reduce|clip|update|commit"';
/** Those of them that are handed out to the workers. */
const SHARED_PHASES = 'phase=~"compute|reduce|update|commit"';

const ALL_PHASES = rate('threadloom_phase_seconds_sum', STEP_PHASES);
const IN_STEPS = `(sum by (run) (${ALL_PHASES}) > 0)`;
const STEPS = `(sum by (run) (${rate('threadloom_steps_total')}) > 0)`;

export function scalingDashboard(): Dashboard {
  return dashboard({
    uid: 'threadloom-scaling',
    title: 'Threadloom / Scaling',
    description: 'Where does the time go, and what do more workers bring?',
    severalRuns: false,
    sections: [
      { title: 'At a glance', panels: glance() },
      { title: 'Where the time of a step goes', panels: phases() },
      { title: 'Workers', panels: workers() },
      { title: 'Arithmetic', panels: arithmetic() },
      { title: 'Loader, main thread and memory', panels: surroundings() },
      { title: 'All runs: what more workers bring', panels: efficiency() },
    ],
  });
}

const SHARE = { unit: 'percentunit', min: 0, max: 1 };

function glance(): Panel[] {
  return [
    stat({
      title: 'Throughput',
      description: 'Training tokens a second over the last steps.',
      unit: 'short',
      queries: [{ expr: of('threadloom_tokens_per_second'), legend: '{{run}}' }],
    }),
    stat({
      title: 'Share of peak',
      description:
        'Floating-point operations a second over what a loop of multiply-adds reached at the start on all workers. 60% is very good for a recurrent network.',
      ...SHARE,
      queries: [{ expr: of('threadloom_peak_ratio'), legend: '{{run}}' }],
    }),
    stat({
      title: 'Workers busy',
      description: 'Mean share of the time that the workers spend in tasks.',
      ...SHARE,
      steps: [
        [null, 'orange'],
        [0.7, 'green'],
      ],
      queries: [
        {
          expr: `avg by (run) (${rate('threadloom_worker_busy_seconds_total')})`,
          legend: '{{run}}',
        },
      ],
    }),
    stat({
      title: 'Coordination',
      description:
        'Share of a step’s time between phases and on the coordinator: tasks that wait for their thread, and the clipping. It grows as steps get shorter; below 2% from 10 ms a step on.',
      ...SHARE,
      steps: [
        [null, 'green'],
        [0.1, 'orange'],
      ],
      queries: [{ expr: overhead(), legend: '{{run}}' }],
    }),
    stat({
      title: 'Loader',
      description:
        'Share of a step’s time spent waiting for the next chunk; next to nothing is right.',
      ...SHARE,
      steps: [
        [null, 'green'],
        [0.2, 'red'],
      ],
      queries: [
        {
          expr: `sum by (run) (${rate('threadloom_phase_seconds_sum', 'phase="load"')}) / ${IN_STEPS}`,
          legend: '{{run}}',
        },
      ],
    }),
    stat({
      title: 'Restarts',
      description:
        'Threads that died and were replaced since the process began; their work was repeated.',
      unit: 'none',
      steps: [
        [null, 'green'],
        [1, 'orange'],
      ],
      queries: [
        {
          expr: `sum by (run) (${of('threadloom_worker_restarts_total')}) + sum by (run) (${of('threadloom_actor_restarts_total')})`,
          legend: '{{run}}',
        },
      ],
    }),
  ];
}

/** Of the mean step: waiting of its fan-outs and clipping, over all phases. */
function overhead(): string {
  const wait = (part: string) => rate(`threadloom_queue_wait_seconds_${part}`, SHARED_PHASES);
  const waits = `sum by (run) (${wait('sum')} / (${wait('count')} > 0)) * ${STEPS}`;
  const clip = `sum by (run) (${rate('threadloom_phase_seconds_sum', 'phase="clip"')})`;
  return `(${waits} + ${clip}) / ${IN_STEPS}`;
}

function phases(): Panel[] {
  return [
    lines({
      title: 'Seconds a step, by phase',
      description:
        'Wall time of the phases of the mean step, stacked to the whole step. compute should be nearly all of it.',
      unit: 's',
      width: 12,
      height: 10,
      min: 0,
      stacked: true,
      queries: [
        {
          expr: `sum by (run, phase) (${ALL_PHASES}) / on (run) group_left () ${STEPS}`,
          legend: '{{phase}}',
        },
      ],
    }),
    lines({
      title: 'Slow steps: 99% of a phase are shorter than',
      description:
        'By phase. Far above the mean beside it: something else uses these cores, or the disk is slow.',
      unit: 's',
      width: 6,
      height: 10,
      logarithmic: true,
      queries: [
        {
          expr: `histogram_quantile(0.99, sum by (phase, le) (${rate('threadloom_phase_seconds_bucket', STEP_PHASES)}))`,
          legend: '{{phase}}',
        },
      ],
    }),
    lines({
      title: 'Beside the steps',
      description:
        'Share of the time spent in what is not part of a step: snapshots for checkpoints, gradients by lag, samples, validations.',
      ...SHARE,
      width: 6,
      height: 10,
      stacked: true,
      queries: [
        {
          expr: `sum by (phase) (${rate('threadloom_phase_seconds_sum', 'phase=~"snapshot|gradients|sample|evaluate"')})`,
          legend: '{{phase}}',
        },
      ],
    }),
  ];
}

function workers(): Panel[] {
  return [
    lines({
      title: 'Share of the time in tasks, by worker',
      description:
        'All lines low: much coordination, or a slow loader. One line low: fewer lanes than workers, or uneven shards (--lanes).',
      ...SHARE,
      width: 8,
      height: 8,
      queries: [
        { expr: rate('threadloom_worker_busy_seconds_total'), legend: 'worker {{worker}}' },
      ],
    }),
    lines({
      title: 'Wait for a thread',
      description:
        'From handing a task out until its thread began it: mean, and what 99% stay below.',
      unit: 's',
      width: 8,
      height: 8,
      logarithmic: true,
      queries: [
        {
          expr: `sum by (phase) (${rate('threadloom_queue_wait_seconds_sum', SHARED_PHASES)}) / (sum by (phase) (${rate('threadloom_queue_wait_seconds_count', SHARED_PHASES)}) > 0)`,
          legend: '{{phase}}',
        },
        {
          expr: `histogram_quantile(0.99, sum by (le) (${rate('threadloom_queue_wait_seconds_bucket', SHARED_PHASES)}))`,
          legend: '99% of all',
        },
      ],
      looks: { '^99%': DASHED },
    }),
    lines({
      title: 'Straggler gap',
      description:
        'By how much the slowest task of a phase takes longer than the median one, as a share of the phase. The other workers wait so long.',
      ...SHARE,
      width: 8,
      height: 8,
      showSteps: 'line',
      steps: [
        [null, 'green'],
        [0.3, 'orange'],
      ],
      queries: [
        {
          expr: `sum by (phase) (${rate('threadloom_straggler_gap_seconds_sum', SHARED_PHASES)}) / (sum by (phase) (${rate('threadloom_phase_seconds_sum', SHARED_PHASES)}) > 0)`,
          legend: '{{phase}}',
        },
      ],
    }),
    lines({
      title: 'Mean straggler gap, and its worst',
      description: 'The same in seconds: mean by phase, and what 99% stay below.',
      unit: 's',
      width: 8,
      height: 7,
      logarithmic: true,
      queries: [
        {
          expr: `sum by (phase) (${rate('threadloom_straggler_gap_seconds_sum', SHARED_PHASES)}) / (sum by (phase) (${rate('threadloom_straggler_gap_seconds_count', SHARED_PHASES)}) > 0)`,
          legend: '{{phase}}',
        },
        {
          expr: `histogram_quantile(0.99, sum by (le) (${rate('threadloom_straggler_gap_seconds_bucket', SHARED_PHASES)}))`,
          legend: '99% of all',
        },
      ],
      looks: { '^99%': DASHED },
    }),
    lines({
      title: 'Threads',
      description: 'Workers alive and planned; fewer alive for a moment after each restart.',
      unit: 'none',
      width: 8,
      height: 7,
      min: 0,
      queries: [
        { expr: of('threadloom_workers'), legend: 'alive' },
        { expr: of('threadloom_workers_planned'), legend: 'planned' },
      ],
      looks: { planned: DASHED },
    }),
    lines({
      title: 'Restarts and repeated tasks',
      description:
        'In each stretch of time shown as one point: threads that died and were replaced, and tasks done again for it. The result stays the same, to the bit.',
      unit: 'none',
      width: 8,
      height: 7,
      min: 0,
      queries: [
        { expr: `increase(${of('threadloom_worker_restarts_total')}${RATE})`, legend: 'workers' },
        { expr: `increase(${of('threadloom_actor_restarts_total')}${RATE})`, legend: '{{actor}}' },
        {
          expr: `increase(${of('threadloom_repeated_tasks_total')}${RATE})`,
          legend: 'repeated tasks',
        },
      ],
    }),
  ];
}

function arithmetic(): Panel[] {
  return [
    lines({
      title: 'Floating-point operations per second',
      description: 'Of all the time, validations included, and the measured peak of all workers.',
      unit: 'flops',
      width: 12,
      height: 8,
      min: 0,
      queries: [
        { expr: rate('threadloom_floating_point_operations_total'), legend: 'steps' },
        { expr: of('threadloom_peak_flops'), legend: 'peak' },
      ],
      looks: { peak: DASHED },
    }),
    lines({
      title: 'Share of peak',
      description:
        'Recent. Small hidden widths, few streams a worker and short steps lower it; so does a machine shared with others.',
      ...SHARE,
      width: 12,
      height: 8,
      queries: [{ expr: of('threadloom_peak_ratio'), legend: '{{run}}' }],
    }),
  ];
}

function surroundings(): Panel[] {
  return [
    lines({
      title: 'Ring of chunks',
      description:
        'Share of the ring that was ready for the last step. 1: the loader is ahead. Near 0 with a high share of load: it cannot keep up.',
      ...SHARE,
      width: 6,
      height: 8,
      queries: [
        {
          expr: `${of('threadloom_ring_filled_slots')} / ${of('threadloom_ring_slots')}`,
          legend: 'ready',
        },
      ],
    }),
    lines({
      title: 'Text read',
      description: 'Bytes a second that the loader reads.',
      unit: 'binBps',
      width: 6,
      height: 8,
      min: 0,
      queries: [{ expr: rate('threadloom_read_bytes_total'), legend: 'read' }],
    }),
    lines({
      title: 'Lag of the event loop',
      description:
        'How late the main thread gets to its work. It schedules all phases: milliseconds here are milliseconds a step.',
      unit: 's',
      width: 6,
      height: 8,
      min: 0,
      queries: [
        { expr: of('nodejs_eventloop_lag_p50_seconds'), legend: 'median' },
        { expr: of('nodejs_eventloop_lag_p99_seconds'), legend: '99%' },
      ],
    }),
    lines({
      title: 'Cores used',
      description:
        'Processor time of the whole process a second; the workers, and what they wait for.',
      unit: 'none',
      decimals: 1,
      width: 6,
      height: 8,
      min: 0,
      queries: [
        { expr: rate('process_cpu_seconds_total'), legend: 'used' },
        { expr: of('threadloom_workers_planned'), legend: 'workers' },
      ],
      looks: { workers: DASHED },
    }),
    lines({
      title: 'Shared memory, by region',
      description: 'The arena: sized once at the start, never grown.',
      unit: 'bytes',
      width: 12,
      height: 8,
      min: 0,
      stacked: true,
      queries: [
        { expr: `sum by (region) (${of('threadloom_arena_bytes')})`, legend: '{{region}}' },
      ],
    }),
    lines({
      title: 'Memory of the process',
      description:
        'Resident memory holds the touched part of the arena, the heap and the threads. A heap that only ever grows is a leak: please report it.',
      unit: 'bytes',
      width: 12,
      height: 8,
      min: 0,
      queries: [
        { expr: of('process_resident_memory_bytes'), legend: 'resident' },
        { expr: of('nodejs_heap_size_used_bytes'), legend: 'heap used' },
        { expr: of('nodejs_heap_size_total_bytes'), legend: 'heap' },
        { expr: of('nodejs_external_memory_bytes'), legend: 'external' },
      ],
    }),
  ];
}

/** Of every run of the job in the time shown, whatever run is chosen above. */
function everyRun(metric: string): string {
  return `${metric}{job=~"$job"}[$__range]`;
}

const THROUGHPUT = `max by (run) (quantile_over_time(0.5, ${everyRun('threadloom_tokens_per_second')}))`;
const WORKERS = `max by (run) (last_over_time(${everyRun('threadloom_workers_planned')}))`;
const PER_WORKER = `${THROUGHPUT} / ${WORKERS}`;
/** Of the runs with the fewest workers, the fastest. */
const BASE = `scalar(max(${PER_WORKER} and on (run) ${WORKERS} == scalar(min(${WORKERS}))))`;

function efficiency(): Panel[] {
  return [
    table({
      title: 'Efficiency by workers',
      description:
        'Median throughput of every run in the time shown. Efficiency: tokens a second and worker, over those of the run with the fewest workers. Compare runs of one model, such as: for w in 1 2 4; do threadloom train text.txt --workers $w --run runs/w$w; done',
      width: 12,
      height: 9,
      queries: [WORKERS, THROUGHPUT, PER_WORKER, `${PER_WORKER} / ${BASE}`],
      columns: {
        run: 'run',
        'Value #A': 'workers',
        'Value #B': 'tokens/s',
        'Value #C': 'tokens/s and worker',
        'Value #D': 'efficiency',
      },
      units: { workers: 'none', efficiency: 'percentunit' },
      hidden: [],
    }),
    byWorkers(),
  ];
}

/** A point a run. */
function byWorkers(): Panel {
  const field = (options: string) => ({ matcher: { id: 'byName', options } });
  const panel = new PointsPanel()
    .show(XYShowMode.Points)
    .mapping(SeriesMapping.Manual)
    .series([new XYSeriesConfigBuilder().x(field('workers')).y(field('tokens/s'))])
    .targets([WORKERS, THROUGHPUT].map(rows))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: { 'Value #A': 'workers', 'Value #B': 'tokens/s' },
      },
    });
  return framed(
    panel,
    { width: 12, height: 9 },
    {
      title: 'Tokens per second by workers',
      description:
        'A point a run of the time shown. On a line through the origin: every worker brings as much as the first.',
      unit: 'short',
      min: 0,
    },
  ).build();
}
