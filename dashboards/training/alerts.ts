/** Alerts, and which runs there are. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { framed, table } from '../panels.ts';
import { of, overTime } from '../queries.ts';

/** Alerts of the runs shown, and those of a target, which has no run. */
export const FIRING =
  'ALERTS{alertname=~"Threadloom.+", alertstate="firing", job=~"$job", run=~"($run)|"}';

const NO_ALERT = 'label_replace(vector(0), "alertname", "no alert", "", "")';

export function alertPanel(): Panel {
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
      title: 'Alerts over time',
      description:
        'Which alerts fired when. What each means and what to do stands in its runbook: Prometheus, page Alerts.',
      unit: 'none',
    },
  ).build();
}

export function runPanel(): Panel {
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
