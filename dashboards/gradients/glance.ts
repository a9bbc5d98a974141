/** How the gradients are, in six numbers. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { stat } from '../panels.ts';
import { of } from '../queries.ts';
import { EXPLODED, RELATIVE, VANISHED } from './through-time.ts';

export function glancePanels(): Panel[] {
  return [
    stat({
      title: 'Faintest lag',
      description:
        'The smallest norm by lag over that of lag 0, of all layers. Below 1e-6 nothing is learnt over that distance.',
      unit: 'sci',
      decimals: 1,
      steps: VANISHED,
      queries: [{ expr: `min by (run) (${RELATIVE})`, legend: '{{run}}' }],
    }),
    stat({
      title: 'Loudest lag',
      description: 'The largest norm by lag over that of lag 0. Above 1000 gradients explode.',
      unit: 'sci',
      decimals: 1,
      steps: EXPLODED,
      queries: [{ expr: `max by (run) (${RELATIVE})`, legend: '{{run}}' }],
    }),
    stat({
      title: 'Gradient over its median',
      description:
        'The last gradient norm over the median of half an hour; 100 and more is an explosion.',
      unit: 'none',
      decimals: 1,
      steps: [
        [null, 'green'],
        [10, 'orange'],
        [100, 'red'],
      ],
      queries: [{ expr: overMedian(), legend: '{{run}}' }],
    }),
    stat({
      title: 'Smallest update ratio',
      description:
        'Of all layers: norm of the update over the norm of the weights. About 0.001 is healthy.',
      unit: 'sci',
      decimals: 1,
      queries: [{ expr: `min by (run) (${of('threadloom_update_ratio')})`, legend: '{{run}}' }],
    }),
    stat({
      title: 'Largest saturation',
      description:
        'Of all gates: share of activations at a bound, where almost no gradient passes. Half is usual for the gates of a trained LSTM.',
      unit: 'percentunit',
      steps: [
        [null, 'green'],
        [0.75, 'orange'],
        [0.95, 'red'],
      ],
      queries: [
        { expr: `max by (run) (${of('threadloom_gate_saturation_ratio')})`, legend: '{{run}}' },
      ],
    }),
    stat({
      title: 'Steps since taken',
      description: 'Steps since these values were taken; at most --gradients-every.',
      unit: 'none',
      queries: [
        {
          expr: `${of('threadloom_step')} - ${of('threadloom_gradients_step')}`,
          legend: '{{run}}',
        },
      ],
    }),
  ];
}

function overMedian(): string {
  const norm = of('threadloom_gradient_norm');
  return `${norm} / (quantile_over_time(0.5, ${norm}[30m]) > 0)`;
}
