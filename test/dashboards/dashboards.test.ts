import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Phase, STEP_PHASES, TASK_PHASES } from '../../src/metrics/catalogue.ts';
import { metricEntries } from '../../src/metrics/definitions.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { DASHBOARD_FILES, panelQueries, shownPanels } from './dashboard-files.ts';
import { DASHBOARDS_FOLDER } from './promtool.ts';
import { RULES } from './rule-file.ts';

const DATA_SOURCE = { type: 'prometheus', uid: `\${datasource}` };

for (const [file, dashboard] of DASHBOARD_FILES) {
  const panels = shownPanels(dashboard);

  test(`${file} is right on its first import`, (t) => {
    t.is(dashboard.uid, `threadloom-${file.replace('.json', '')}`);
    t.is(dashboard.id, undefined, 'a number of some one Grafana');
    t.false('__inputs' in dashboard);
    t.true(dashboard.schemaVersion >= 36);
    t.regex(dashboard.description, /\.$/);
    t.is(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    t.true(dashboard.panels.every(({ id }) => id > 0));
  });

  test(`${file} asks the data source chosen, never one by name`, (t) => {
    for (const { title, datasource, targets = [] } of panels) {
      t.deepEqual(datasource, DATA_SOURCE, title);
      t.true(targets.length > 0, title);
      for (const query of targets) t.deepEqual(query.datasource, DATA_SOURCE, title);
      t.is(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    }
  });

  test(`${file} says of every panel what is seen, in which unit`, (t) => {
    t.is(new Set(panels.map(({ title }) => title)).size, panels.length);
    for (const { title, description = '', fieldConfig } of panels) {
      t.regex(description, /^.{30,}[.\w]$/, title);
      t.truthy(fieldConfig?.defaults.unit, title);
      t.true(fieldConfig!.defaults.thresholds.steps.length > 0, title);
    }
  });

  test(`${file} fills its lines, and no panel covers another`, (t) => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      t.true(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          t.is(taken.get(`${x} ${y}`), undefined, title);
          taken.set(`${x} ${y}`, title);
        }
      }
    }
    const height = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
    t.is(taken.size, 24 * height);
  });

  test(`${file} uses the variables it has, and has those it uses`, (t) => {
    const { list } = dashboard.templating;
    const names = list.map(({ name }) => name);
    t.deepEqual(names.slice(0, 4), ['datasource', 'job', 'run', 'instance']);
    for (const { name, datasource } of list.slice(1)) t.deepEqual(datasource, DATA_SOURCE, name);
    const used = new Set(
      [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)]
        .map(([, name]) => name)
        .filter((name) => !name.startsWith('__') && !/^\d+$/.test(name)),
    );
    t.deepEqual([...used].sort(), [...names].sort());
  });

  test(`${file} leads to the other dashboards and to the live page of the run chosen`, (t) => {
    const [dashboards, page] = dashboard.links;
    t.true(dashboards.includeVars);
    t.is(page.url, 'http://$instance/');
    const { list } = dashboard.templating;
    t.deepEqual(list.find(({ name }) => name === 'instance')?.query, {
      query: 'label_values(threadloom_workers_planned{job=~"$job", run=~"$run"}, instance)',
      refId: 'variable-instance',
    });
    t.deepEqual(dashboard.tags, ['threadloom']);
  });
}

const asked = [
  ...panelQueries().map(({ where, query }) => ({ where, expr: query.expr })),
  ...RULES.map(({ record, alert, expr }) => ({ where: record ?? alert, expr })),
];

/** Names of all series that a run has of Threadloom's own metrics. */
const series = new Map(
  metricEntries().flatMap(({ name, type }) =>
    (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((suffix) => [
      name + suffix,
      name,
    ]),
  ),
);

test('queries part the phases as a run does: those of a step, those handed out, the rest', (t) => {
  const all = STEP_PHASES.join('|');
  const shared = TASK_PHASES.join('|');
  const own = STEP_PHASES.filter((phase) => phase !== 'load' && !isShared(phase)).join('|');
  const partitions = asked.flatMap(({ where, expr }) =>
    [...expr.matchAll(/(\w+)\{[^}]*phase=~"([^"]+)"/g)].map(([, metric, phases]) => ({
      where,
      metric,
      phases,
    })),
  );
  for (const { where, metric, phases } of partitions) {
    const isOfTasks = /_(queue_wait|straggler_gap)_/.test(metric);
    const known = isOfTasks ? [shared] : [all, shared, own, 'snapshot|gradients|sample|evaluate'];
    t.true(known.includes(phases), `${where}: ${phases}`);
  }
  const coordination = partitions.filter(({ where }) => where?.includes('Coordination'));
  t.deepEqual([...new Set(coordination.map(({ phases }) => phases))], [shared, own, all]);
});

const isShared = (phase: Phase) => (TASK_PHASES as readonly Phase[]).includes(phase);

test('every query names only metrics that there are', (t) => {
  for (const { where, expr } of asked) {
    for (const [name] of expr.matchAll(/\bthreadloom_\w+/g)) t.true(series.has(name), where);
  }
});

test("the metrics of the process that queries name are served, and stand in the README's reference", async (t) => {
  const metrics = createMetrics({ run: 'r', processMetrics: true });
  metrics.close();
  const served = await metrics.render();
  const readme = readFileSync(join(DASHBOARDS_FOLDER, '../README.md'), 'utf8');
  const names = asked.flatMap(({ expr }) => expr.match(/\b(process|nodejs)_\w+/g) ?? []);
  t.true(names.includes('process_cpu_seconds_total'));
  for (const name of new Set(names)) {
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(served)?.[1];
    t.true(readme.includes(`\n| \`${name}\` | ${type} |`), name);
  }
});

test('every metric is shown on a dashboard or asked by a rule', (t) => {
  const used = new Set(
    asked.flatMap(({ expr }) =>
      [...expr.matchAll(/\bthreadloom_\w+/g)].map(([name]) => series.get(name)),
    ),
  );
  for (const { name } of metricEntries()) t.true(used.has(name), name);
});
