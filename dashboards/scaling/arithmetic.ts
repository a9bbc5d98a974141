/** How much is computed, and how much could be. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHED, lines } from '../panels.ts';
import { of, rate } from '../queries.ts';
import { SHARE } from './shares.ts';

export function arithmeticPanels(): Panel[] {
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
      title: 'Share of peak over time',
      description:
        'Recent. Small hidden widths, few streams a worker and short steps lower it; so does a machine shared with others.',
      ...SHARE,
      width: 12,
      height: 8,
      queries: [{ expr: of('threadloom_peak_ratio'), legend: '{{run}}' }],
    }),
  ];
}
