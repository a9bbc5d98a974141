/**
 * Writes the reference tables of flags, metrics and alerts into README.md, between their markers. With --check it writes nothing
 * and exits 1 where they are not what the code says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import {
  benchKernelsSettings,
  benchScalingSettings,
  benchTrainSettings,
} from '../src/config/bench-settings.ts';
import { trainSettings } from '../src/config/config.ts';
import { evaluateSettings, sampleSettings } from '../src/config/model-use-settings.ts';
import { describeValues, type SettingEntry } from '../src/config/setting-table.ts';
import { metricEntries } from '../src/metrics/definitions.ts';

const README = new URL('../../README.md', import.meta.url);
const RULES = new URL('../../dashboards/rules.yml', import.meta.url);

interface RuleFile {
  groups: {
    rules: {
      alert?: string;
      for?: string;
      labels: { severity: string };
      annotations: { runbook: string };
    }[];
  }[];
}

const sections: Record<string, string> = {
  'train flags': settingsTable(trainSettings.entries),
  'sample flags': settingsTable(sampleSettings.entries),
  'eval flags': settingsTable(evaluateSettings.entries),
  'bench kernels flags': settingsTable(benchKernelsSettings.entries),
  'bench train flags': settingsTable(benchTrainSettings.entries),
  'bench scaling flags': settingsTable(benchScalingSettings.entries),
  metrics: table(
    ['metric', 'type', 'unit', 'labels', 'meaning', 'example query'],
    metricEntries().map(({ name, type, unit, labels, help, query }) => [
      `\`${name}\``,
      type,
      unit,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
      `\`${query}\``,
    ]),
  ),
  alerts: alertsTable(parse(readFileSync(RULES, 'utf8'))),
};

const before = readFileSync(README, 'utf8');
const after = Object.entries(sections).reduce(replaceSection, before);
if (!process.argv.includes('--check')) {
  writeFileSync(README, after);
} else if (after !== before) {
  console.error(
    'README.md does not have the reference that the code gives. Run: npm run reference',
  );
  process.exitCode = 1;
}

function settingsTable(entries: readonly SettingEntry[]): string {
  const rows = entries.map((entry) => [
    `\`${entry.flag}\``,
    describeValues(entry),
    entry.default === undefined || entry.type === 'array' ? '' : `\`${entry.default}\``,
    entry.unit ? `${entry.description} [${entry.unit}]` : entry.description,
  ]);
  return table(['flag', 'value', 'default', 'meaning'], rows);
}

function alertsTable({ groups }: RuleFile): string {
  const alerts = groups.flatMap(({ rules }) => rules.filter(({ alert }) => alert));
  const rows = alerts.map(({ alert, for: after = 'at once', labels, annotations }) => {
    const [, means, lookAt, act] = /^Means: (.+) Look at: (.+) Do: (.+)$/s.exec(
      annotations.runbook,
    )!;
    return [`\`${alert}\``, labels.severity, after, ...[means, lookAt, act].map(sentence)];
  });
  return table(['alert', 'severity', 'holds for', 'means', 'look at', 'do'], rows);
}

function sentence(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function replaceSection(text: string, [name, content]: [string, string]): string {
  const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- end of ${name} -->`];
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start)
    throw new Error(`README.md has no section between ${begin} and ${end}`);
  return `${text.slice(0, start + begin.length)}\n\n${content}\n\n${text.slice(stop)}`;
}
