/** Is it learning? */
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { dashboard, type Section } from './frame.ts';
import { DASHED, FAINT, framed, HELD, lines, stat, table } from './panels.ts';
import { of, overTime, rate } from './queries.ts';

/** Alerts of the runs shown, and those of a target, which has no run. */
const FIRING =
  'ALERTS{alertname=~"Threadloom.+", alertstate="firing", job=~"$job", run=~"($run)|"}';

const NO_ALERT = 'label_replace(vector(0), "alertname", "no alert", "", "")';

export function trainingDashboard(): Dashboard {
  return dashboard({
    uid: 'threadloom-training',
    title: 'Threadloom / Training',
    description:
      'Is it learning? Losses, gradient, pace, checkpoints and alerts of one or more runs.',
    severalRuns: true,
    sections: [
      { title: 'State', panels: state() },
      { title: 'Is it learning?', panels: learning() },
      { title: 'The steps', panels: steps() },
      { title: 'Pace', panels: pace() },
      checkpoints(),
      { title: 'Alerts and runs', panels: [alerts(), runs()] },
    ],
  });
}

function state(): Panel[] {
  return [
    stat({
      title: 'State',
      description:
        'Whether the run trains, or has ended and still serves its last values (--metrics-linger).',
      unit: 'none',
      names: {
        0: { text: 'ended', color: 'text' },
        1: { text: 'training', color: 'green' },
      },
      queries: [{ expr: of('threadloom_training_active'), legend: '{{run}}' }],
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
      title: 'Alerts',
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

function learning(): Panel[] {
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

function steps(): Panel[] {
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

function pace(): Panel[] {
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

function checkpoints(): Section {
  return {
    title: 'Checkpoints',
    panels: [
      lines({
        title: 'Age of the last checkpoint',
        description:
          'What a power cut now would cost. A saw whose teeth are the interval (--checkpoint-every and validations).',
        unit: 's',
        width: 8,
        height: 7,
        min: 0,
        queries: [{ expr: of('threadloom_checkpoint_age_seconds'), legend: '{{run}}' }],
      }),
      lines({
        title: 'Written, skipped, failed',
        description:
          'Checkpoints since the process began. Skipped: the writer was still busy with the one before. Failed: disk full or not writable.',
        unit: 'none',
        width: 8,
        height: 7,
        min: 0,
        queries: [
          { expr: of('threadloom_checkpoints_total'), legend: '{{run}} written' },
          { expr: of('threadloom_checkpoint_skipped_total'), legend: '{{run}} skipped' },
          { expr: of('threadloom_checkpoint_failures_total'), legend: '{{run}} failed' },
        ],
        looks: { ' failed$': [{ id: 'color', value: { mode: 'fixed', fixedColor: 'red' } }] },
      }),
      lines({
        title: 'Time to write',
        description: 'Of the last checkpoint, from the snapshot to the renamed file.',
        unit: 's',
        width: 4,
        height: 7,
        min: 0,
        queries: [{ expr: of('threadloom_checkpoint_duration_seconds'), legend: '{{run}}' }],
      }),
      lines({
        title: 'Size, and lines that wait',
        description:
          'Bytes of the last checkpoint, and of log lines that wait in memory for room on the disk: above 0 the disk is full.',
        unit: 'bytes',
        width: 4,
        height: 7,
        min: 0,
        queries: [
          { expr: of('threadloom_checkpoint_bytes'), legend: '{{run}} checkpoint' },
          { expr: of('threadloom_pending_log_bytes'), legend: '{{run}} waiting' },
        ],
      }),
    ],
  };
}

function alerts(): Panel {
  const panel = new TimelinePanel()
    .fillOpacity(80)
    .lineWidth(0)
    .mappings([
      {
        type: 'value',
        options: {
          0: { text: 'none', color: 'green' },
          1: { text: 'fires', color: 'red' },
        },
      } as never,
    ])
    .withTarget(
      overTime({
        expr: `max by (alertname, run) (${FIRING}) or (${NO_ALERT} unless on () ${FIRING})`,
        legend: '{{alertname}} {{run}}',
      }),
    );
  return framed(
    panel,
    { width: 12, height: 8 },
    {
      title: 'Alerts',
      description:
        'Which alerts fired when. What each means and what to do stands in its runbook: Prometheus, page Alerts.',
      unit: 'none',
    },
  ).build();
}

function runs(): Panel {
  return table({
    title: 'Runs',
    description: 'What is trained, how, with which kernels and by which version.',
    width: 12,
    height: 8,
    queries: [
      of('threadloom_run_info'),
      `max by (run, version, node, platform) (${of('threadloom_build_info')})`,
      `time() - max by (run) (${of('threadloom_run_start_timestamp_seconds')})`,
    ],
    columns: {
      run: 'run',
      cell: 'cell',
      layers: 'layers',
      hidden: 'hidden',
      batch: 'batch',
      chunk: 'chunk',
      lanes: 'lanes',
      optimizer: 'optimizer',
      backend: 'backend',
      variant: 'variant',
      version: 'version',
      node: 'Node.js',
      platform: 'platform',
      instance: 'scraped at',
      'Value #C': 'trains since',
    },
    units: { 'trains since': 'dtdurations' },
    hidden: ['__name__', 'job', 'Value #A', 'Value #B'],
  });
}
