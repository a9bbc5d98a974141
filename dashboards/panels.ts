/** The kinds of panel the dashboards are made of, each with the same looks everywhere. */
import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';
import { DATA_SOURCE, overTime, type Query, rows } from './queries.ts';

/** Columns of 24 and rows of 30 pixels. */
export interface PanelSize {
  width: number;
  height: number;
}

export interface PanelText {
  title: string;
  /** What is seen, and what to make of it. */
  description: string;
}

/** From this value on, this colour; the first step has null and holds below the second. */
export type Steps = readonly [value: number | null, color: string][];

export interface ValueRange {
  /** Of Grafana's names. */
  unit: string;
  decimals?: number;
  min?: number;
  max?: number;
  steps?: Steps;
}

const NEUTRAL: Steps = [[null, 'blue']];

export interface StatOptions extends PanelText, ValueRange {
  queries: readonly Query[];
  /** What values are called instead. */
  names?: Record<string, { text: string; color: string }>;
}

/** One number a run, with its course behind it. */
export function stat(options: StatOptions): Panel {
  const { names = {}, steps = NEUTRAL, queries } = options;
  const panel = new StatPanel()
    .graphMode(common.BigValueGraphMode.Area)
    .colorMode(common.BigValueColorMode.Value)
    .textMode(common.BigValueTextMode.Auto)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .mappings([{ type: 'value', options: names } as never])
    .targets(queries.map(overTime));
  return framed(panel, { width: 4, height: 4 }, { ...options, steps }).build();
}

export interface LinesOptions extends PanelText, ValueRange, PanelSize {
  queries: readonly Query[];
  logarithmic?: boolean;
  stacked?: boolean;
  /** How the steps of `steps` are drawn behind the lines. */
  showSteps?: 'line' | 'area';
  /** Series by a regular expression for their names. */
  looks?: Readonly<Record<string, readonly DynamicConfigValue[]>>;
}

/** Lines over time. */
export function lines(options: LinesOptions): Panel {
  const { queries, logarithmic, stacked, showSteps, looks = {} } = options;
  const panel = new TimeseriesPanel()
    .lineWidth(stacked ? 1 : 2)
    .fillOpacity(stacked ? 60 : 0)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .stacking(
      new common.StackingConfigBuilder().mode(
        stacked ? common.StackingMode.Normal : common.StackingMode.None,
      ),
    )
    .scaleDistribution(scale(logarithmic))
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(stepsMode(showSteps)))
    .legend(legend())
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .targets(queries.map(overTime));
  for (const [names, properties] of Object.entries(looks)) {
    panel.overrideByRegexp(`/${names}/`, [...properties]);
  }
  return framed(panel, options, options).build();
}

export interface TableOptions extends PanelText, PanelSize {
  /** Joined by the labels they have in common. */
  queries: readonly string[];
  /** Name of a label, or `Value #A` of the first query, to the name of its column; the order of the columns. */
  columns: Readonly<Record<string, string>>;
  /** By the name of the column. */
  units?: Readonly<Record<string, string>>;
  hidden: readonly string[];
}

/** Rows of labels and last values. */
export function table(options: TableOptions): Panel {
  const { queries, columns, units = {}, hidden } = options;
  const names = Object.keys(columns);
  const panel = new TablePanel()
    .showHeader(true)
    .cellHeight(common.TableCellHeight.Sm)
    .targets(queries.map(rows))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(['Time', ...hidden].map((name) => [name, true])),
        indexByName: Object.fromEntries(names.map((name, index) => [name, index])),
        renameByName: columns,
      },
    });
  for (const [name, unit] of Object.entries(units)) {
    panel.overrideByName(name, [{ id: 'unit', value: unit }]);
  }
  return framed(panel, options, { ...options, unit: 'short' }).build();
}

interface FramedPanel {
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: common.DataSourceRef): this;
  span(width: number): this;
  height(height: number): this;
  unit(unit: string): this;
  decimals(decimals: number): this;
  min(min: number): this;
  max(max: number): this;
  thresholds(thresholds: ThresholdsConfigBuilder): this;
}

/** What all kinds of panel have. */
export function framed<P extends FramedPanel>(
  panel: P,
  { width, height }: PanelSize,
  { title, description, unit, decimals, min, max, steps = NEUTRAL }: PanelText & ValueRange,
): P {
  panel.title(title).description(description).datasource(DATA_SOURCE).unit(unit);
  panel.span(width).height(height).thresholds(thresholds(steps));
  if (decimals !== undefined) panel.decimals(decimals);
  if (min !== undefined) panel.min(min);
  if (max !== undefined) panel.max(max);
  return panel;
}

function thresholds(steps: Steps): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]): Threshold => ({ value, color })));
}

function scale(logarithmic?: boolean): common.ScaleDistributionConfigBuilder {
  const config = new common.ScaleDistributionConfigBuilder();
  return logarithmic
    ? config.type(common.ScaleDistribution.Log).log(10)
    : config.type(common.ScaleDistribution.Linear);
}

function stepsMode(shown?: 'line' | 'area'): common.GraphThresholdsStyleMode {
  if (shown === 'area') return common.GraphThresholdsStyleMode.Area;
  if (shown === 'line') return common.GraphThresholdsStyleMode.Dashed;
  return common.GraphThresholdsStyleMode.Off;
}

export function legend(): common.VizLegendOptionsBuilder {
  return new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.Table)
    .placement(common.LegendPlacement.Bottom)
    .calcs(['lastNotNull', 'min', 'max'])
    .showLegend(true);
}

/** A line that is drawn dashed: a limit beside what it limits. */
export const DASHED: readonly DynamicConfigValue[] = [
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
  { id: 'custom.lineWidth', value: 1 },
];

/** A line that holds its value until the next. */
export const HELD: readonly DynamicConfigValue[] = [
  { id: 'custom.lineInterpolation', value: 'stepAfter' },
];

/** What is behind another line. */
export const FAINT: readonly DynamicConfigValue[] = [
  { id: 'custom.lineWidth', value: 1 },
  { id: 'custom.fillOpacity', value: 0 },
  { id: 'color', value: { mode: 'fixed', fixedColor: 'semi-dark-blue' } },
];
