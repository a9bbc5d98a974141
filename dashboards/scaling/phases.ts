/** The phases of a step, and what is beside the steps. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { lines } from '../panels.ts';
import { rate } from '../queries.ts';
import { ALL_PHASES, SHARE, STEP_PHASES, STEPS } from './shares.ts';

export function phasePanels(): Panel[] {
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
