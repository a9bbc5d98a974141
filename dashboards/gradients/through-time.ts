/** The gradient on its way back through time. */
import * as common from '@grafana/grafana-foundation-sdk/common';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  FilterValueRangeBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  PanelBuilder as HeatmapPanel,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { framed, lines, type Steps } from '../panels.ts';
import { of, overTime } from '../queries.ts';

export const BY_LAG = 'threadloom_gradient_norm_by_lag';
export const LAYER = 'layer=~"$layer"';
/** Every lag over the last time step itself. */
export const RELATIVE = `${of(BY_LAG, LAYER)} / ignoring (lag) group_left () (${of(BY_LAG, LAYER, 'lag="0"')} > 0)`;

export const VANISHED: Steps = [
  [null, 'red'],
  [1e-6, 'orange'],
  [1e-4, 'green'],
];
export const EXPLODED: Steps = [
  [null, 'green'],
  [100, 'orange'],
  [1000, 'red'],
];

/** Lags with leading zeros, in whose order Prometheus answers; Grafana takes them off. */
export function lagHeatmap(): Panel {
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

export function lagPanels(): Panel[] {
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
