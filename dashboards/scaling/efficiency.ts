/** What more workers brought, over all runs. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as PointsPanel,
  SeriesMapping,
  XYSeriesConfigBuilder,
  XYShowMode,
} from '@grafana/grafana-foundation-sdk/xychart';
import { framed, table } from '../panels.ts';
import { rows } from '../queries.ts';

/** Of every run of the job in the time shown, whatever run is chosen above. */
function everyRun(metric: string): string {
  return `${metric}{job=~"$job"}[$__range]`;
}

const THROUGHPUT = `max by (run) (quantile_over_time(0.5, ${everyRun('threadloom_tokens_per_second')}))`;
const WORKERS = `max by (run) (last_over_time(${everyRun('threadloom_workers_planned')}))`;
const PER_WORKER = `${THROUGHPUT} / ${WORKERS}`;
/** Of the runs with the fewest workers, the fastest. */
const BASE = `scalar(max(${PER_WORKER} and on (run) ${WORKERS} == scalar(min(${WORKERS}))))`;

export function efficiencyPanels(): Panel[] {
  return [
    table({
      title: 'Efficiency by workers',
      description:
        'Median throughput of every run in the time shown. Efficiency: tokens a second and worker, over those of the run with the fewest workers. Compare runs of one model, such as threadloom train text.txt --workers 1 --run runs/w1, then --workers 2 --run runs/w2.',
      width: 12,
      height: 9,
      queries: [WORKERS, THROUGHPUT, PER_WORKER, `${PER_WORKER} / ${BASE}`],
      columns: {
        run: 'run',
        'Value #A': 'workers',
        'Value #B': 'tokens/s',
        'Value #C': 'tokens/s and worker',
        'Value #D': 'efficiency',
      },
      units: { workers: 'none', efficiency: 'percentunit' },
      hidden: [],
    }),
    byWorkers(),
  ];
}

/** A point a run. */
function byWorkers(): Panel {
  const field = (options: string) => ({ matcher: { id: 'byName', options } });
  const panel = new PointsPanel()
    .show(XYShowMode.Points)
    .mapping(SeriesMapping.Manual)
    .series([new XYSeriesConfigBuilder().x(field('workers')).y(field('tokens/s'))])
    .targets([WORKERS, THROUGHPUT].map(rows))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: { 'Value #A': 'workers', 'Value #B': 'tokens/s' },
      },
    });
  return framed(
    panel,
    { width: 12, height: 9 },
    {
      title: 'Tokens per second by workers',
      description:
        'A point a run of the time shown. On a line through the origin: every worker brings as much as the first.',
      unit: 'short',
      min: 0,
    },
  ).build();
}
