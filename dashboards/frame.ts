/** What the dashboards have in common: variables, links, their places in a folder of Grafana. */
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  type RowPanel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATA_SOURCE } from './queries.ts';

const TAG = 'threadloom';
const COLUMNS = 24;

export interface Section {
  title: string;
  panels: readonly Panel[];
}

export interface DashboardOptions {
  uid: string;
  title: string;
  description: string;
  /** Whether several runs can be looked at side by side. */
  severalRuns: boolean;
  /** Beside the data source, job, run and instance. */
  variables?: readonly QueryVariableBuilder[];
  sections: readonly Section[];
}

/** A dashboard that is right on its first import: its data source is a variable, every panel has its place and number. */
export function dashboard(options: DashboardOptions): Dashboard {
  const { uid, title, description, severalRuns, variables = [], sections } = options;
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .time({ from: 'now-30m', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(dataSourceVariable())
    .withVariable(
      labelVariable('job', 'label_values(threadloom_workers_planned, job)', {
        description: 'Job of the scrape configuration.',
        several: true,
      }),
    )
    .withVariable(
      labelVariable('run', 'label_values(threadloom_workers_planned{job=~"$job"}, run)', {
        description: 'Name of the run’s folder.',
        several: severalRuns,
      }),
    )
    .withVariable(
      labelVariable(
        'instance',
        'label_values(threadloom_workers_planned{job=~"$job", run=~"$run"}, instance)',
        {
          description:
            'Host and port at which a chosen run is scraped; its live page is there too.',
          several: false,
        },
      ),
    );
  for (const variable of variables) builder.withVariable(variable);
  builder
    .link(
      link('Threadloom dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      link('Live page')
        .type(DashboardLinkType.Link)
        .url('http://$instance/')
        .tooltip('Of the run at the instance chosen above')
        .icon('external link')
        .targetBlank(true),
    );
  return { ...withoutPlacement(builder.build()), panels: place(sections) };
}

export interface LabelVariableOptions {
  description: string;
  several: boolean;
}

/** A variable whose values are those of a label. */
export function labelVariable(
  name: string,
  query: string,
  { description, several }: LabelVariableOptions,
): QueryVariableBuilder {
  const variable = new QueryVariableBuilder(name)
    .label(name)
    .description(description)
    .datasource(DATA_SOURCE)
    .query({ query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(several)
    .includeAll(several);
  return several ? variable.allValue('.+').current({ text: ['All'], value: ['$__all'] }) : variable;
}

function dataSourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource')
    .label('data source')
    .description('Prometheus that scrapes the runs.')
    .type('prometheus');
}

function link(title: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title);
}

/** Links stand in the open, not in the menu that the builder puts them into. */
function withoutPlacement(built: Dashboard): Dashboard {
  return { ...built, links: built.links?.map(({ placement, ...shown }) => shown) };
}

/** Each section's panels from left to right and from top to bottom, with numbers from 1. */
function place(sections: readonly Section[]): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let y = 0;
  const take = () => placed.length + 1;
  for (const { title, panels } of sections) {
    const gridPos = { x: 0, y, w: COLUMNS, h: 1 };
    placed.push({ type: 'row', title, collapsed: false, id: take(), panels: [], gridPos });
    y++;
    for (const line of linesOf(panels)) {
      let x = 0;
      for (const panel of line) {
        const { w, h } = panel.gridPos!;
        placed.push({ ...withReferences(panel), id: take(), gridPos: { x, y, w, h } });
        x += w;
      }
      y += Math.max(...line.map((panel) => panel.gridPos!.h));
    }
  }
  return placed;
}

/** Queries are referred to by letters, from A. */
function withReferences(panel: Panel): Panel {
  const targets = panel.targets?.map((target, index) => ({
    ...target,
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: DATA_SOURCE,
  }));
  return { ...panel, targets };
}

/** Panels as they fit beside each other. */
function linesOf(panels: readonly Panel[]): Panel[][] {
  const found: Panel[][] = [];
  let free = 0;
  for (const panel of panels) {
    const { w } = panel.gridPos!;
    if (w > free) {
      found.push([]);
      free = COLUMNS;
    }
    found.at(-1)!.push(panel);
    free -= w;
  }
  return found;
}
