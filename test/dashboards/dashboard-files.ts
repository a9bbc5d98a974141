/** The committed dashboards, as Grafana imports them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { DASHBOARDS_FOLDER } from './promtool.ts';

export interface DashboardFile {
  id?: number;
  uid: string;
  title: string;
  description: string;
  schemaVersion: number;
  tags: string[];
  panels: PanelFile[];
  templating: { list: VariableFile[] };
  links: { title: string; url?: string; includeVars: boolean }[];
}

export interface PanelFile {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: QueryFile[];
  fieldConfig?: { defaults: { unit?: string; thresholds: { steps: unknown[] } } };
  repeat?: string;
}

export interface QueryFile {
  refId: string;
  expr: string;
  legendFormat?: string;
  instant: boolean;
  range: boolean;
  datasource?: { type: string; uid: string };
}

export interface VariableFile {
  name: string;
  type: string;
  query: string | { query: string };
  /** Of one that offers all of its values together. */
  includeAll: boolean;
  allValue?: string;
  datasource?: { type: string; uid: string };
}

/** By the name of the file. */
export const DASHBOARD_FILES: readonly [string, DashboardFile][] = Object.keys(DASHBOARDS).map(
  (name) => [name, JSON.parse(readFileSync(join(DASHBOARDS_FOLDER, name), 'utf8'))],
);

/** All panels that show something; rows only part them. */
export function shownPanels({ panels }: DashboardFile): PanelFile[] {
  return panels.filter(({ type }) => type !== 'row');
}

/** Every query of every panel. */
export function panelQueries(): { where: string; query: QueryFile; dashboard: DashboardFile }[] {
  return DASHBOARD_FILES.flatMap(([file, dashboard]) =>
    shownPanels(dashboard).flatMap(({ title, targets = [] }) =>
      targets.map((query) => ({
        where: `${file}, ${title}, ${query.refId}`,
        query,
        dashboard,
      })),
    ),
  );
}
