/** What the model has learnt so far. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHED, FAINT, HELD, lines } from '../panels.ts';
import { of } from '../queries.ts';

export function learningPanels(): Panel[] {
  return [
    lines({
      title: 'Loss',
      description:
        'Nats a token: the last step, its mean over five minutes, and the validations. Training falls and validation rises: it learns by heart. Both stay: try another --lr or a larger model.',
      unit: 'none',
      decimals: 3,
      width: 16,
      height: 10,
      queries: [
        { expr: of('threadloom_train_loss'), legend: '{{run}} step' },
        { expr: `avg_over_time(${of('threadloom_train_loss')}[5m])`, legend: '{{run}} training' },
        { expr: of('threadloom_validation_loss'), legend: '{{run}} validation' },
        { expr: of('threadloom_best_validation_loss'), legend: '{{run}} best' },
      ],
      looks: { ' step$': FAINT, ' validation$': HELD, ' best$': [...HELD, ...DASHED] },
    }),
    lines({
      title: 'Validation above training',
      description:
        'Validation loss less the mean training loss of five minutes. It grows once the model learns its text by heart: then --dropout, more text, or an earlier end.',
      unit: 'none',
      decimals: 3,
      width: 8,
      height: 10,
      showSteps: 'line',
      steps: [
        [null, 'green'],
        [0.5, 'orange'],
      ],
      queries: [
        {
          expr: `${of('threadloom_validation_loss')} - avg_over_time(${of('threadloom_train_loss')}[5m])`,
          legend: '{{run}}',
        },
      ],
    }),
    lines({
      title: 'Perplexity',
      description:
        'The number of equally likely tokens that the model hesitates between: 1 is certainty, the vocabulary’s size is ignorance.',
      unit: 'none',
      decimals: 2,
      width: 12,
      height: 8,
      logarithmic: true,
      queries: [
        { expr: of('threadloom_train_perplexity'), legend: '{{run}} training' },
        { expr: of('threadloom_validation_perplexity'), legend: '{{run}} validation' },
      ],
      looks: { ' training$': FAINT, ' validation$': HELD },
    }),
    lines({
      title: 'Bits per token',
      description:
        'The loss in bits: what a token would take on average in a file compressed with this model.',
      unit: 'none',
      decimals: 3,
      width: 12,
      height: 8,
      queries: [
        { expr: of('threadloom_train_bits_per_token'), legend: '{{run}} training' },
        { expr: of('threadloom_validation_bits_per_token'), legend: '{{run}} validation' },
      ],
      looks: { ' training$': FAINT, ' validation$': HELD },
    }),
  ];
}
