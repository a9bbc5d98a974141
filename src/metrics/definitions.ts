/** The catalogue's metrics as prom-client has them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { CATALOGUE } from './catalogue.ts';
import type { Definition, MetricEntry } from './definition.ts';

/** The metrics of Threadloom itself, in the order of the README's table. */
export function metricEntries(): MetricEntry[] {
  return Object.values(CATALOGUE);
}

/** One prom-client metric for each entry of the catalogue. */
export type Instruments = { [K in keyof typeof CATALOGUE]: Instrument<(typeof CATALOGUE)[K]> };

/** Creates all metrics in `registry`. A gauge has no series before its first value: 0 would be a lie. */
export function createInstruments(registry: Registry): Instruments {
  const built = Object.entries(CATALOGUE).map(([key, definition]) => {
    const { type, name, help, labels, buckets } = definition as Definition<
      MetricEntry['type'],
      string
    >;
    const settings = { name, help, labelNames: labels, registers: [registry] };
    if (type === 'counter') return [key, new Counter(settings)];
    if (type === 'histogram') return [key, new Histogram({ ...settings, buckets })];
    const instrument = new Gauge(settings);
    if (labels.length === 0) instrument.remove();
    return [key, instrument];
  });
  return Object.fromEntries(built) as Instruments;
}

type Instrument<D> =
  D extends Definition<'counter', infer L>
    ? Counter<L>
    : D extends Definition<'gauge', infer L>
      ? Gauge<L>
      : D extends Definition<'histogram', infer L>
        ? Histogram<L>
        : never;
