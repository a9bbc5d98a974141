/** How the dashboards ask Prometheus. */
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';

/** The data source chosen on the dashboard. */
export const DATA_SOURCE = { type: 'prometheus', uid: `\${datasource}` };

/** As long as Grafana finds sensible for a rate at the panel's resolution and the scrape interval. */
export const RATE = '[$__rate_interval]';

/** The selection of a metric's series by the dashboard's variables, and by more labels. */
export function of(metric: string, ...labels: string[]): string {
  return `${metric}{${['job=~"$job"', 'run=~"$run"', ...labels].join(', ')}}`;
}

/** What a counter grows by in a second. */
export function rate(metric: string, ...labels: string[]): string {
  return `rate(${of(metric, ...labels)}${RATE})`;
}

export interface Query {
  expr: string;
  /** Name in the legend; `{{label}}` stands for a label's value. */
  legend: string;
}

/** Values over time. */
export function overTime({ expr, legend }: Query): DataqueryBuilder {
  return new DataqueryBuilder().expr(expr).legendFormat(legend).range();
}

/** The last values as rows of a table, the labels as columns. */
export function rows(expr: string): DataqueryBuilder {
  return new DataqueryBuilder().expr(expr).format(PromQueryFormat.Table).instant();
}
