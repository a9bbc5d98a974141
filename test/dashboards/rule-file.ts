/** The committed rules for Prometheus. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { DASHBOARDS_FOLDER } from './promtool.ts';

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export const RULES_FILE = join(DASHBOARDS_FOLDER, 'rules.yml');

export const { groups: RULE_GROUPS } = parse(readFileSync(RULES_FILE, 'utf8')) as {
  groups: { name: string; rules: Rule[] }[];
};

export const RULES: readonly Rule[] = RULE_GROUPS.flatMap(({ rules }) => rules);
