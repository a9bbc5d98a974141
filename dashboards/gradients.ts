/** Do gradients vanish or explode, do gates saturate? */
import * as common from '@grafana/grafana-foundation-sdk/common';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  FilterValueRangeBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  PanelBuilder as HeatmapPanel,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { dashboard, labelVariable } from './frame.ts';
import { DASHED, framed, lines, type Steps, stat } from './panels.ts';
import { of, overTime, rate } from './queries.ts';

const BY_LAG = 'threadloom_gradient_norm_by_lag';
const LAYER = 'layer=~"$layer"';
/** Every lag over the last time step itself. */
const RELATIVE = `${of(BY_LAG, LAYER)} / ignoring (lag) group_left () (${of(BY_LAG, LAYER, 'lag="0"')} > 0)`;

const VANISHED: Steps = [
  [null, 'red'],
  [1e-6, 'orange'],
  [1e-4, 'green'],
];
const EXPLODED: Steps = [
  [null, 'green'],
  [100, 'orange'],
  [1000, 'red'],
];

export function gradientsDashboard(): Dashboard {
  return dashboard({
    uid: 'threadloom-gradients',
    title: 'Threadloom / Gradients',
    description:
      'Do gradients vanish or explode through time and layers, do gates saturate? Taken every --gradients-every steps.',
    severalRuns: false,
    variables: [
      labelVariable('layer', `label_values(${BY_LAG}{job=~"$job", run=~"$run"}, layer)`, {
        description: 'Recurrent layer, 0 the lowest.',
        several: true,
      }),
    ],
    sections: [
      { title: 'At a glance', panels: glance() },
      { title: 'Through time: layer $layer', panels: [heatmap()] },
      { title: 'Vanishing and exploding', panels: throughTime() },
      { title: 'Layers', panels: layers() },
      { title: 'Gates and clipping', panels: gates() },
    ],
  });
}

function glance(): Panel[] {
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
        'Of all gates: share of activations at a bound, where almost no gradient passes.',
      unit: 'percentunit',
      steps: [
        [null, 'green'],
        [0.5, 'orange'],
        [0.9, 'red'],
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

/** Lags with leading zeros, in whose order Prometheus answers; Grafana takes them off. */
function heatmap(): Panel {
  const padded = `label_replace(label_replace(${RELATIVE}, "bucket", "00000000$1", "lag", "(.+)"), "bucket", "$1", "bucket", ".*(.{8})")`;
  const panel = new HeatmapPanel()
    .calculate(false)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(common.HeatmapCellLayout.Ge).value('decades'))
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Viridis')
        .scale(HeatmapColorScale.Linear)
        .steps(64)
        .min(-8)
        .max(2),
    )
    // All values are logarithms; Grafana would leave out those up to 1e-9.
    .filterValues(new FilterValueRangeBuilder().le(-1e9))
    .yAxis(new YAxisConfigBuilder().axisLabel('time steps before the loss').reverse(false))
    .cellGap(0)
    .showLegend()
    .repeat('layer')
    .repeatDirection('h')
    .maxPerRow(2)
    .withTarget(
      overTime({
        expr: `max by (bucket) (log10(clamp_min(${padded}, 1e-12)))`,
        legend: '{{bucket}}',
      }),
    )
    .withTransformation({
      id: 'renameByRegex',
      options: { regex: '^0*(\\d+)$', renamePattern: '$1' },
    });
  return framed(
    panel,
    { width: 24, height: 10 },
    {
      title: 'Gradient norm by lag, layer $layer',
      description:
        'How much of the loss at one time step reaches the hidden state so many steps before: powers of ten over lag 0; −3 is a thousandth. Dark towards the top: what lies further back is not learnt from (vanishing). Brighter towards the top than at the bottom: exploding.',
      unit: 'none',
      decimals: 1,
    },
  ).build();
}

function throughTime(): Panel[] {
  return [
    lines({
      title: 'Faintest lag over lag 0',
      description:
        'By layer. Falls to 1e-6 and below: the state before that time does not learn. Use lstm or gru, --forget-bias, a shorter --chunk, or for relu --init identity.',
      unit: 'sci',
      width: 12,
      height: 8,
      logarithmic: true,
      showSteps: 'line',
      steps: VANISHED,
      queries: [{ expr: `min by (layer) (${RELATIVE})`, legend: 'layer {{layer}}' }],
    }),
    lines({
      title: 'Loudest lag over lag 0',
      description:
        'By layer. Rises above 1000: gradients grow on their way back. Lower --lr, --clip-norm or --identity-scale.',
      unit: 'sci',
      width: 12,
      height: 8,
      logarithmic: true,
      showSteps: 'line',
      steps: EXPLODED,
      queries: [{ expr: `max by (layer) (${RELATIVE})`, legend: 'layer {{layer}}' }],
    }),
    lines({
      title: 'Norm by lag',
      description: 'The same values as in the map, not divided.',
      unit: 'sci',
      width: 24,
      height: 9,
      logarithmic: true,
      queries: [{ expr: of(BY_LAG, LAYER), legend: 'layer {{layer}} lag {{lag}}' }],
    }),
  ];
}

function layers(): Panel[] {
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
        'Norm of a step’s update over the norm of the weights it changes. Green, 1e-4 to 1e-2, is healthy: below it hardly moves (raise --lr), above it forgets (lower --lr, add --warmup).',
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

function gates(): Panel[] {
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
