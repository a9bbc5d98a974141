/** How the runs stand. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { stat } from '../panels.ts';
import { of } from '../queries.ts';
import { FIRING } from './alerts.ts';

export function statePanels(): Panel[] {
  return [
    stat({
      title: 'State',
      description:
        'Whether the run trains, or has ended or failed and still serves its last values (--metrics-linger).',
      unit: 'none',
      names: {
        '-1': { text: 'failed', color: 'red' },
        0: { text: 'ended', color: 'text' },
        1: { text: 'training', color: 'green' },
      },
      queries: [
        {
          expr: `${of('threadloom_training_active')} - ${of('threadloom_run_failed')}`,
          legend: '{{run}}',
        },
      ],
    }),
    stat({
      title: 'Progress',
      description: 'Steps done of those planned, over all resumes.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [
        {
          expr: `${of('threadloom_step')} / ${of('threadloom_steps_planned')}`,
          legend: '{{run}}',
        },
      ],
    }),
    stat({
      title: 'Time left',
      description: 'To the last step, or to the time limit, at the present throughput.',
      unit: 'dtdurations',
      queries: [{ expr: of('threadloom_seconds_left'), legend: '{{run}}' }],
    }),
    stat({
      title: 'Best validation loss',
      description:
        'The lowest so far, in nats a token. Its checkpoint is kept as best.ckpt; ln V is the loss of a model that knows nothing.',
      unit: 'none',
      decimals: 4,
      queries: [{ expr: of('threadloom_best_validation_loss'), legend: '{{run}}' }],
    }),
    stat({
      title: 'Throughput',
      description: 'Training tokens a second over the last steps, as the progress line shows it.',
      unit: 'short',
      queries: [{ expr: of('threadloom_tokens_per_second'), legend: '{{run}}' }],
    }),
    stat({
      title: 'Alerts now',
      description:
        'Alerts that fire now (dashboards/rules.yml). 0 also where Prometheus has not loaded the rules.',
      unit: 'none',
      steps: [
        [null, 'green'],
        [1, 'red'],
      ],
      queries: [{ expr: `count(${FIRING}) or vector(0)`, legend: 'firing' }],
    }),
  ];
}
