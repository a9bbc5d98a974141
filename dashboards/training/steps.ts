/** Gradient, learning rate and pace of the steps. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHED, FAINT, HELD, lines } from '../panels.ts';
import { of, rate } from '../queries.ts';

export function stepPanels(): Panel[] {
  return [
    lines({
      title: 'Gradient norm',
      description:
        'Norm of the mean gradient before and after clipping, and the largest allowed. Jumps far above the limit: see the dashboard Gradients.',
      unit: 'short',
      width: 12,
      height: 8,
      logarithmic: true,
      queries: [
        { expr: of('threadloom_gradient_norm'), legend: '{{run}} gradient' },
        { expr: of('threadloom_clipped_gradient_norm'), legend: '{{run}} clipped' },
        { expr: of('threadloom_clip_norm'), legend: '{{run}} limit' },
      ],
      looks: { ' limit$': DASHED, ' clipped$': FAINT },
    }),
    lines({
      title: 'Learning rate',
      description:
        'Of the last step. It follows --schedule over the steps, or over the clock with --max-minutes.',
      unit: 'sci',
      width: 6,
      height: 8,
      min: 0,
      queries: [{ expr: of('threadloom_learning_rate'), legend: '{{run}}' }],
    }),
    lines({
      title: 'Clipped and refused steps',
      description:
        'Share of the steps whose gradient was scaled down, and steps refused because a number was not finite. Almost all clipped: the limit sets the step’s length; raise --clip-norm or lower --lr.',
      unit: 'percentunit',
      width: 6,
      height: 8,
      min: 0,
      queries: [
        {
          expr: `${rate('threadloom_clipped_steps_total')} / (${rate('threadloom_steps_total')} > 0)`,
          legend: '{{run}} clipped',
        },
        { expr: of('threadloom_not_finite_steps_total'), legend: '{{run}} not finite' },
      ],
      looks: {
        ' not finite$': [
          { id: 'unit', value: 'none' },
          { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
        ],
      },
    }),
  ];
}

export function pacePanels(): Panel[] {
  return [
    lines({
      title: 'Tokens per second',
      description:
        'Of the steps alone (recent), and of all the time, validations and checkpoints included.',
      unit: 'short',
      width: 8,
      height: 8,
      min: 0,
      queries: [
        { expr: of('threadloom_tokens_per_second'), legend: '{{run}} recent' },
        { expr: rate('threadloom_tokens_total'), legend: '{{run}} all the time' },
      ],
      looks: { ' all the time$': DASHED },
    }),
    lines({
      title: 'Steps per second',
      description: 'Optimizer steps; none during a validation.',
      unit: 'short',
      width: 8,
      height: 8,
      min: 0,
      queries: [{ expr: rate('threadloom_steps_total'), legend: '{{run}}' }],
    }),
    lines({
      title: 'Epoch and time left',
      description:
        'Passes over the text begun, and the time left (right), which falls by a second a second where the pace is steady.',
      unit: 'none',
      width: 8,
      height: 8,
      min: 0,
      queries: [
        { expr: of('threadloom_epoch'), legend: '{{run}} epoch' },
        { expr: of('threadloom_seconds_left'), legend: '{{run}} time left' },
      ],
      looks: {
        ' epoch$': HELD,
        ' time left$': [
          { id: 'unit', value: 'dtdurations' },
          { id: 'custom.axisPlacement', value: 'right' },
        ],
      },
    }),
  ];
}
