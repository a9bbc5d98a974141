/** What the workers do, and how they wait for each other. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHED, lines } from '../panels.ts';
import { of, RATE, rate } from '../queries.ts';
import { SHARE, SHARED_PHASES } from './shares.ts';

export function workerPanels(): Panel[] {
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
        'From when a task could begin until its thread began it: mean, and what 99% stay below.',
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
