/** What is kept of a run. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { lines } from '../panels.ts';
import { of } from '../queries.ts';

export function checkpointPanels(): Panel[] {
  return [
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
  ];
}
