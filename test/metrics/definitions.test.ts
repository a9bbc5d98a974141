import test from 'ava';
import { metricEntries } from '../../src/metrics/definitions.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { checkWithPromtool } from './promtool.ts';
import { gradientsOf, RUN, STEP } from './scrape.ts';

const NAMED_UNITS: Record<string, RegExp> = {
  seconds: /_seconds(_|$)/,
  bytes: /_bytes(_|$)/,
  'tokens per second': /_tokens_per_second$/,
};

for (const { name, type, unit, labels, help } of metricEntries()) {
  test(`${name} is named as Prometheus asks`, (t) => {
    t.regex(name, /^threadloom_[a-z]+(_[a-z]+)*$/);
    t.is(name.endsWith('_total'), type === 'counter', 'counters, and only they, end in _total');
    t.notRegex(name, /_(count|sum|bucket)$/);
    t.regex(name, NAMED_UNITS[unit] ?? /./, `unit ${unit}`);
    t.notRegex(unit, /milli|micro|kilo|mega|minutes|hours|percent/);
    t.regex(help, /^[A-Z].{10,}\.$/);
    for (const label of labels) t.regex(label, /^[a-z]+$/);
  });
}

test('no name is given twice', (t) => {
  const names = metricEntries().map((entry) => entry.name);
  t.is(new Set(names).size, names.length);
});

test('every metric of the list has a series once a run has done everything', async (t) => {
  const text = await busyRun();
  const typed = [...text.matchAll(/^# TYPE (threadloom_\w+) (\w+)$/gm)].map((match) => match[1]);
  t.deepEqual(
    typed,
    metricEntries().map((entry) => entry.name),
  );
  for (const { name, type } of metricEntries()) {
    const series = type === 'histogram' ? `${name}_count` : name;
    t.true(text.includes(`\n${series}{`), series);
  }
});

test('promtool finds nothing to complain about', async (t) => {
  checkWithPromtool(t, await busyRun());
});

async function busyRun(): Promise<string> {
  const metrics = createMetrics({ run: 'r', processMetrics: true });
  metrics.recordRun(RUN);
  metrics.recordStep(STEP);
  metrics.recordPendingLogs(512);
  metrics.recordEvaluation({ step: 7, loss: 2.25, bestLoss: 2, seconds: 8 });
  metrics.recordGradients(gradientsOf(2));
  metrics.recordPool({
    workers: 2,
    restarts: 0,
    repeatedTasks: 0,
    actorRestarts: { loader: 0 },
    busySeconds: [1, 2],
  });
  metrics.recordCheckpoint({ bytes: 4096, seconds: 0.25 });
  metrics.recordPendingLogs(0);
  return metrics.render();
}
