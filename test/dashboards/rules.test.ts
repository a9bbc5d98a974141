import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { stringify } from 'yaml';
import { SITUATION_SECONDS, SITUATIONS, type Situation } from '../helpers/situations.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { ALERT_CASES, type AlertCase } from './alert-cases.ts';
import { DASHBOARD_FILES, shownPanels } from './dashboard-files.ts';
import { DASHBOARDS_FOLDER, isInstalled, promtool } from './promtool.ts';
import { RULE_GROUPS, RULES, RULES_FILE, type Rule } from './rule-file.ts';

const alerts = RULES.filter(({ alert }) => alert !== undefined);

test('promtool finds nothing to complain about in the rules', (t) => {
  if (isInstalled(t, 'promtool')) promtool(t, 'check', 'rules', '--lint-fatal', RULES_FILE);
});

for (const { alert, labels, annotations } of alerts) {
  test(`${alert} says what it means, what to look at and what to do, and how grave it is`, (t) => {
    t.regex(labels?.severity ?? '', /^(warning|critical)$/);
    t.regex(annotations?.summary ?? '', /\{\{ \$labels\.run \}\}/);
    t.regex(annotations?.description ?? '', /\{\{ \$value/);
    t.regex(annotations?.runbook ?? '', /^Means: .+ Look at: .+ Do: .+\.$/);
  });

  test(`${alert} is tried with series that make it fire and with some that come close`, (t) => {
    const cases = ALERT_CASES.filter((tried) => tried.alert === alert);
    t.true(cases.some(({ fires }) => fires));
    t.true(cases.filter(({ fires }) => !fires).length >= 2);
  });
}

test('the files that the comments name are there', (t) => {
  const text = readFileSync(RULES_FILE, 'utf8');
  const named = [...text.matchAll(/^# .*?\b(test\/[\w/.-]+\.\w+)/gm)].map(([, path]) => path);
  t.true(named.length > 0);
  for (const path of named) t.true(existsSync(join(DASHBOARDS_FOLDER, '..', path)), path);
});

test('the panels that alerts say to look at are there', (t) => {
  for (const { alert, annotations } of alerts) {
    const places = annotations!.runbook.matchAll(/(Training|Scaling|Gradients) \/ ([^,;.(]+)/g);
    for (const [place, name, panel] of places) {
      const [, dashboard] = DASHBOARD_FILES.find(([file]) => file.startsWith(name.toLowerCase()))!;
      const titles = shownPanels(dashboard).map(({ title }) => title);
      const found = titles.some((title) => panel.startsWith(title) || title.startsWith(panel));
      t.true(found, `${alert}: ${place}`);
    }
  }
});

test('every recording rule serves an alert', (t) => {
  const asked = alerts.map(({ expr }) => expr).join('\n');
  for (const { record } of RULES.filter(({ record }) => record?.startsWith('threadloom:'))) {
    const served = RULES.some(
      ({ expr, record: name }) => name !== record && expr.includes(record!),
    );
    t.true(asked.includes(record!) || served, record);
  }
});

test('every alert fires when it should, says so, and stays silent where it only comes close', (t) => {
  if (!isInstalled(t, 'promtool')) return;
  const file = join(temporaryFolder(t), 'rules.test.yml');
  writeFileSync(
    join(file, '../rules.yml'),
    stringify({ groups: RULE_GROUPS.map(withDescriptions) }),
  );
  writeFileSync(
    file,
    stringify({
      rule_files: ['rules.yml'],
      evaluation_interval: '15s',
      tests: [...ALERT_CASES.map(promtoolTest), ...SITUATIONS.map(situationTest)],
    }),
  );
  promtool(t, 'test', 'rules', file);
});

/** promtool compares all annotations to the letter; of these only the descriptions are tried. */
function withDescriptions(group: { rules: Rule[] }): unknown {
  const shortened = group.rules.map((rule) =>
    rule.annotations
      ? { ...rule, annotations: { description: rule.annotations.description } }
      : rule,
  );
  return { ...group, rules: shortened };
}

const IDENTITY = { job: 'threadloom', instance: 'host:9464', run: 'r' };

/** The case as promtool takes it; what it prints of one that fails begins with its name. */
function promtoolTest({ alert, title, series, fires }: AlertCase): unknown {
  const input_series = Object.entries(series).map(([name, values]) => ({
    series: withIdentity(name),
    values,
  }));
  const everFiring = `ALERTS{alertname="${alert}", alertstate="firing"}[45m]`;
  const silence = { expr: `count_over_time(${everFiring})`, eval_time: '45m', exp_samples: [] };
  const expected = fires
    ? { alert_rule_test: firing(alert, fires) }
    : { promql_expr_test: [silence] };
  return { name: `${alert}: ${title}`, interval: '15s', input_series, ...expected };
}

/** Whether the alert fires at the end of the situation; the live page is tried with the same. */
function situationTest({ alert, title, fires, ...situation }: Situation): unknown {
  const input_series = Object.entries(seriesOf(situation)).map(([name, values]) => ({
    series: withIdentity(name),
    values: values.join(' '),
  }));
  const expr = `count(ALERTS{alertname="${alert}", alertstate="firing"}) or vector(0)`;
  const exp_samples = [{ labels: '{}', value: fires ? 1 : 0 }];
  const promql_expr_test = [{ expr, eval_time: `${SITUATION_SECONDS}s`, exp_samples }];
  return { name: `${alert}: ${title}`, interval: '15s', input_series, promql_expr_test };
}

type Series = Record<string, number[]>;

/** A value every 15 seconds, from the start of the run at 0. */
function seriesOf({ normByLag = [], phaseShares = {}, checkpoints }: Partial<Situation>): Series {
  const times = Array.from({ length: SITUATION_SECONDS / 15 + 1 }, (_, i) => 15 * i);
  const series: Series = {};
  for (const [i, norm] of normByLag.entries()) {
    const lag = i === 0 ? 0 : 2 ** (i - 1);
    series[`threadloom_gradient_norm_by_lag{layer="0", lag="${lag}"}`] = times.map(() => norm);
  }
  for (const [phase, share] of Object.entries(phaseShares)) {
    series[`threadloom_phase_seconds_sum{phase="${phase}"}`] = times.map((time) => share * time);
  }
  if (!checkpoints) return series;
  const before = (time: number) => checkpoints.filter((seconds) => seconds <= time);
  series.threadloom_training_active = times.map(() => 1);
  series.threadloom_run_start_timestamp_seconds = times.map(() => 0);
  series.threadloom_checkpoints_total = times.map((time) => before(time).length);
  // Every run of these has written one at its start.
  const last = times.map((time) => before(time).at(-1)!);
  series.threadloom_last_checkpoint_timestamp_seconds = last;
  series.threadloom_checkpoint_age_seconds = times.map((time, i) => time - last[i]);
  return series;
}

function firing(alertname: string, fires: NonNullable<AlertCase['fires']>): unknown[] {
  const { notAt, at, notAfter, labels, description } = fires;
  const severity = alerts.find(({ alert }) => alert === alertname)?.labels?.severity;
  const exp_labels = { ...IDENTITY, severity, ...labels };
  return [
    { eval_time: notAt, alertname, exp_alerts: [] },
    { eval_time: at, alertname, exp_alerts: [{ exp_labels, exp_annotations: { description } }] },
    ...(notAfter ? [{ eval_time: notAfter, alertname, exp_alerts: [] }] : []),
  ];
}

function withIdentity(series: string): string {
  const [, name, labels] = /^(\w+)(?:\{(.*)\})?$/.exec(series)!;
  const { run, ...target } = IDENTITY;
  const identity = Object.entries(name === 'up' ? target : { ...target, run });
  return `${name}{${[...identity.map(([key, value]) => `${key}="${value}"`), ...(labels ? [labels] : [])]}}`;
}
