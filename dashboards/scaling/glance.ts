/** Where the time goes, in six numbers. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { stat } from '../panels.ts';
import { of, rate } from '../queries.ts';
import { IN_STEPS, OWN_PHASES, SHARE, SHARED_PHASES, STEPS } from './shares.ts';

export function glancePanels(): Panel[] {
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
        'Share of a step’s time between phases and on the coordinator: tasks that wait for their thread, the clipping and the commit. It grows as steps get shorter; below 2% from 10 ms a step on.',
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

/** Of the mean step: waiting of its fan-outs and the coordinator's own work, over all phases. */
function overhead(): string {
  const wait = (part: string) => rate(`threadloom_queue_wait_seconds_${part}`, SHARED_PHASES);
  const waits = `sum by (run) (${wait('sum')} / (${wait('count')} > 0)) * ${STEPS}`;
  const own = `sum by (run) (${rate('threadloom_phase_seconds_sum', OWN_PHASES)})`;
  return `(${waits} + ${own}) / ${IN_STEPS}`;
}
