/** How one metric is described: what the README's table says of it and what prom-client needs. Pure. */

/** One metric as the README's table shows it. Every series carries the label `run` besides. */
export interface MetricEntry {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What one unit of the value is; empty where the value is not a quantity. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** A query that shows what the metric is good for. */
  readonly query: string;
}

type MetricType = MetricEntry['type'];

export interface Definition<T extends MetricType, L extends string> extends MetricEntry {
  readonly type: T;
  readonly labels: readonly L[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: number[];
}

/** `query` with `$` for the metric's name; the name alone unless given. */
type Details<L extends string> = { labels?: readonly L[]; query?: string };

export const counter = <L extends string = never>(
  name: string,
  unit: string,
  help: string,
  { query = 'rate($[1m])', ...details }: Details<L> = {},
) => define('counter', name, unit, help, { query, ...details });

export const gauge = <L extends string = never>(
  name: string,
  unit: string,
  help: string,
  details: Details<L> = {},
) => define('gauge', name, unit, help, details);

export const histogram = <L extends string = never>(
  name: string,
  unit: string,
  help: string,
  { buckets, ...details }: Details<L> & { buckets: number[] },
) => ({ ...define('histogram', name, unit, help, details), buckets });

function define<T extends MetricType, L extends string>(
  type: T,
  name: string,
  unit: string,
  help: string,
  { labels = [], query = '$' }: Details<L>,
): Definition<T, L> {
  const fullName = `threadloom_${name}`;
  return { name: fullName, type, unit, help, labels, query: query.replaceAll('$', fullName) };
}
