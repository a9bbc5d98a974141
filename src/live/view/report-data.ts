/** A snapshot as a report holds it: fewer points, the names of their fields once. Pure. */
import { EvenSeries } from '../even-series.ts';
import { PointSeries } from '../points.ts';
import type { GradientsPoint, Point, Snapshot } from '../protocol.ts';

export interface ReportData extends Omit<Snapshot, 'points'> {
  fields: (keyof Point)[];
  /** A row a point, in the order of `fields`. */
  rows: Point[keyof Point][][];
}

const MAX_POINTS = 500;
const MAX_GRADIENTS = 60;

export function toReport({ points, gradients, ...lasting }: Snapshot): ReportData {
  const series = new PointSeries(MAX_POINTS);
  for (const point of points) series.add(point);
  const kept = new EvenSeries<GradientsPoint>(MAX_GRADIENTS, (_, later) => later);
  for (const record of gradients) kept.add(record);
  const fields = Object.keys(points[0] ?? {}) as (keyof Point)[];
  return {
    ...lasting,
    gradients: [...kept.items],
    fields,
    rows: series.points.map((point) => fields.map((field) => point[field])),
  };
}

export function fromReport({ fields, rows, ...lasting }: ReportData): Snapshot {
  const points = rows.map((row) => Object.fromEntries(fields.map((field, i) => [field, row[i]])));
  return { ...lasting, points: points as unknown as Point[] };
}
