/** Gradients and updates by layer, gates, clipping. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHED, lines } from '../panels.ts';
import { of, rate } from '../queries.ts';
import { LAYER } from './through-time.ts';

export function layerPanels(): Panel[] {
  return [
    lines({
      title: 'Gradient norm by layer',
      description:
        'Of the mean gradient, before clipping. Lower layers far below higher ones: gradients vanish through the layers.',
      unit: 'sci',
      width: 12,
      height: 9,
      logarithmic: true,
      queries: [{ expr: of('threadloom_layer_gradient_norm'), legend: '{{layer}}' }],
    }),
    lines({
      title: 'Update ratio by layer',
      description:
        'Norm of a step’s update over the norm of the weights it changes. Green, 1e-4 to 1e-2, is healthy: below it hardly moves (raise --lr), above it forgets (lower --lr, add --warmup). It falls with the learning rate towards the end.',
      unit: 'sci',
      width: 12,
      height: 9,
      logarithmic: true,
      showSteps: 'area',
      steps: [
        [null, 'orange'],
        [1e-4, 'green'],
        [1e-2, 'red'],
      ],
      queries: [{ expr: of('threadloom_update_ratio'), legend: '{{layer}}' }],
    }),
  ];
}

export function gatePanels(): Panel[] {
  return [
    lines({
      title: 'Saturation by gate',
      description:
        'Share of a gate’s activations within 0.05 of a bound. A forget gate near 1 remembers and is no fault; a candidate (g, n) or a whole layer near 1 has stopped to learn.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      width: 12,
      height: 9,
      queries: [
        {
          expr: of('threadloom_gate_saturation_ratio', LAYER),
          legend: 'layer {{layer}} gate {{gate}}',
        },
      ],
    }),
    lines({
      title: 'Norm of the whole gradient',
      description:
        'The last step, the median and the highest of five minutes, and the largest allowed.',
      unit: 'sci',
      width: 8,
      height: 9,
      logarithmic: true,
      queries: [
        { expr: of('threadloom_gradient_norm'), legend: 'last' },
        {
          expr: `quantile_over_time(0.5, ${of('threadloom_gradient_norm')}[5m])`,
          legend: 'median',
        },
        { expr: `max_over_time(${of('threadloom_gradient_norm')}[5m])`, legend: 'highest' },
        { expr: of('threadloom_clip_norm'), legend: 'limit' },
      ],
      looks: { limit: DASHED },
    }),
    lines({
      title: 'Clipped steps',
      description: 'Share of the steps whose gradient was scaled down.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      width: 4,
      height: 9,
      queries: [
        {
          expr: `${rate('threadloom_clipped_steps_total')} / (${rate('threadloom_steps_total')} > 0)`,
          legend: 'clipped',
        },
      ],
    }),
  ];
}
