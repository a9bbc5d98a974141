import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { messageOf } from '../../src/errors.ts';
import { type RunningCli, startCli, TINY } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import {
  DASHBOARD_FILES,
  type DashboardFile,
  panelQueries,
  type VariableFile,
} from './dashboard-files.ts';
import { type PrometheusServer, type Sample, startPrometheus } from './prometheus-server.ts';
import { isInstalled } from './promtool.ts';
import { RULES } from './rule-file.ts';

const RUN = 'scraped';
const RUNS = [RUN, 'beside'];

interface ActiveAlert {
  state: 'pending' | 'firing';
  labels: Record<string, string>;
}

/** As Grafana puts values into queries. */
type Variables = Readonly<Record<string, string>>;

const OF_ONE_RUN: Variables = {
  job: 'threadloom',
  run: RUN,
  layer: '.+',
  __rate_interval: '5s',
  __range: '1m',
};

test('a real Prometheus that scrapes real runs answers every query of every panel and rule', async (t) => {
  if (!isInstalled(t, 'prometheus')) return;
  const targets = await Promise.all(RUNS.map((name) => startBusyRun(t, name)));
  const prometheus = await startPrometheus(t, ...targets);
  // All is asked of one moment: on a busy machine a scrape comes too late now and then, and until the next its run has no series.
  const moment = await prometheus.until(
    [
      'up == 1',
      'count_over_time(threadloom_steps_total[1m]) >= 10',
      'threadloom_gradients_step > 0',
      'threadloom_phase_seconds_count{phase="evaluate"} > 1',
      'threadloom:checkpoint_interval:seconds < 600',
    ]
      .map((expr) => `count(${expr}) == ${RUNS.length}`)
      .join(' and '),
  );
  const faults = (
    await Promise.all(panelQueries().map((each) => faultsOfPanel(prometheus, moment, each)))
  ).flat();
  for (const [file, { templating }] of DASHBOARD_FILES) {
    for (const variable of templating.list) {
      if (!(await hasValues(prometheus, variable))) faults.push(`${file}: ${variable.name}`);
    }
  }
  for (const { record, expr } of RULES.filter(({ record }) => record)) {
    faults.push(...(await faultsOf(prometheus.query(expr, moment), `rule ${record}: ${expr}`)));
    faults.push(...(await faultsOf(prometheus.query(record!, moment), `record ${record}`)));
  }
  const { groups } = await prometheus.api('rules');
  for (const { name, health, lastError, state } of groups[0].rules) {
    if (health !== 'ok') faults.push(`${name}: ${health}: ${lastError}`);
    if (state === 'firing') faults.push(`${name} fires`);
  }
  t.deepEqual(faults, []);
});

test('a real run whose loss becomes infinite makes the alerts fire, though it is gone', async (t) => {
  if (!isInstalled(t, 'prometheus')) return;
  const folder = temporaryFolder(t);
  const run = startCli(t, [
    ...['train', writeText(folder), '--run', join(folder, 'infinite'), ...TINY, '--steps', '200'],
    ...['--cell', 'rnn', '--activation', 'relu', '--optimizer', 'sgd', '--clip-norm', '0'],
    ...['--lr', '1000', '--metrics-linger', '600', '--metrics-port', '0'],
  ]);
  const prometheus = await startPrometheus(t, await addressOf(run));
  await prometheus.until('threadloom_run_failed == 1');
  run.child.kill('SIGINT');
  t.is((await run.finished).code, 1);
  // So long that the rules have been evaluated several times without a series of the run.
  await prometheus.until('sum_over_time((1 - up)[1m:500ms]) >= 6');
  const { alerts } = (await prometheus.api('alerts')) as { alerts: ActiveAlert[] };
  const firing = alerts.filter(({ state }) => state === 'firing');
  t.deepEqual(firing.map(({ labels }) => [labels.alertname, labels.run]).sort(), [
    ['ThreadloomLossNotFinite', 'infinite'],
    ['ThreadloomRunFailed', 'infinite'],
  ]);
});

test('a real run that is stopped with Ctrl-C is seen to have ended, not to be gone', async (t) => {
  if (!isInstalled(t, 'prometheus')) return;
  const folder = temporaryFolder(t);
  const run = startCli(t, [
    ...['train', writeText(folder), '--run', join(folder, 'stopped'), ...TINY],
    ...['--epochs', '1000000', '--metrics-port', '0'],
  ]);
  const prometheus = await startPrometheus(t, await addressOf(run));
  await prometheus.until('count_over_time(threadloom_steps_total[1m]) >= 4');
  run.child.kill('SIGINT');
  t.is((await run.finished).code, 130);
  await prometheus.until('up == 0');
  const [{ value }] = await prometheus.query('last_over_time(threadloom_training_active[1m])');
  t.is(value, 0);
});

/** A run that has a series of everything within seconds, and trains until the test ends; its address. */
function startBusyRun(t: ExecutionContext, name: string): Promise<string> {
  const folder = temporaryFolder(t);
  return startRun(t, [
    ...['train', writeText(folder, 'text.txt', 20_000), '--run', join(folder, name)],
    ...['--cell', 'gru', '--hidden', '32', '--layers', '2', '--batch', '8', '--chunk', '16'],
    ...['--steps', '1000000', '--workers', '2', '--eval-every', '200'],
    ...['--checkpoint-every', '100', '--gradients-every', '20'],
  ]);
}

function startRun(t: ExecutionContext, args: readonly string[]): Promise<string> {
  return addressOf(startCli(t, [...args, '--metrics-port', '0']));
}

/** Host and port of a run's metrics. */
async function addressOf(run: RunningCli): Promise<string> {
  const [, address] = await run.shows(/http:\/\/(127\.0\.0\.1:\d+)/);
  return address;
}

function withValues(expr: string, variables = OF_ONE_RUN): string {
  return expr.replaceAll(/\$\{?([a-z_]+)\}?/g, (_, name) => variables[name] ?? `$${name}`);
}

/** As a dashboard is opened: whatever offers it is at "All". */
function atAll({ templating }: DashboardFile): Variables {
  const all = templating.list.filter(({ includeAll }) => includeAll);
  return {
    ...OF_ONE_RUN,
    ...Object.fromEntries(all.map(({ name, allValue = '' }) => [name, allValue])),
  };
}

/** Of a panel's query for one run and for all, at a moment and, where the panel asks so, over the time before. */
async function faultsOfPanel(
  prometheus: PrometheusServer,
  moment: number,
  { where, query, dashboard }: ReturnType<typeof panelQueries>[number],
): Promise<string[]> {
  const one = withValues(query.expr);
  const variables = atAll(dashboard);
  const all = withValues(query.expr, variables);
  // An alert that does not fire has no labels to show.
  const legend = one.includes('ALERTS') ? '' : query.legendFormat;
  const runs = query.expr.includes('$run') ? RUNS.filter(isMatchedBy(variables.run)) : RUNS;
  const found = await Promise.all([
    faultsOf(prometheus.query(one, moment), `${where}: ${one}`, legend),
    faultsOf(prometheus.query(all, moment), `${where}: ${all}`, legend, runs),
    query.range
      ? faultsOf(prometheus.queryRange(all, moment), `${where}, over time: ${all}`, legend, runs)
      : [],
  ]);
  return found.flat();
}

function isMatchedBy(pattern: string): (run: string) => boolean {
  return (run) => new RegExp(`^(${pattern})$`).test(run);
}

/**
 * That it does not parse, has no series, a value that is not finite, none of the labels its legend names, or, where its series
 * are of runs, none of one of `runs`.
 */
async function faultsOf(
  asked: Promise<Sample[]>,
  where: string,
  legend = '',
  runs: readonly string[] = [],
): Promise<string[]> {
  let samples: Sample[];
  try {
    samples = await asked;
  } catch (error) {
    return [`${messageOf(error)}: ${where}`];
  }
  if (samples.length === 0) return [`no series: ${where}`];
  const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
  const faults = samples.flatMap(({ metric, value }) => {
    const series = `${JSON.stringify(metric)}: ${where}`;
    const missing = labels.filter((label) => !metric[label]);
    return [
      ...(Number.isFinite(value) ? [] : [`${value}: ${series}`]),
      ...missing.map((label) => `no label ${label}: ${series}`),
    ];
  });
  const present = samples.map(({ metric }) => metric.run);
  const lost = present.every(Boolean) ? runs.filter((run) => !present.includes(run)) : [];
  return [...faults, ...lost.map((run) => `no series of ${run}: ${where}`)];
}

/** Whether there is something to choose. */
async function hasValues(prometheus: PrometheusServer, { query }: VariableFile): Promise<boolean> {
  if (typeof query === 'string') return query === 'prometheus'; // The data source.
  const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(withValues(query.query))!;
  const values = await prometheus.api(`label/${label}/values`, { 'match[]': selector });
  return values.length > 0;
}
