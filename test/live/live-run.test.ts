import test from 'ava';
import { LiveRun } from '../../src/live/live-run.ts';
import type { Alert, LiveEvents, Snapshot } from '../../src/live/protocol.ts';
import { RUN } from '../metrics/scrape.ts';
import { DESCRIPTION, stepRecord } from './sample-points.ts';

/** A run with a clock of its own, and all that it has told. */
function watched() {
  const clock = { seconds: 1000, residentBytes: 2 ** 27 };
  const run = new LiveRun(
    DESCRIPTION,
    () => clock.seconds * 1000,
    () => clock.residentBytes,
  );
  run.begin(DESCRIPTION);
  const told: { name: string; data: unknown }[] = [];
  const stop = run.listen(({ name, json }) => told.push({ name, data: JSON.parse(json) }));
  const eventsOf = <Name extends keyof LiveEvents>(name: Name) =>
    told.filter((event) => event.name === name).map(({ data }) => data as LiveEvents[Name]);
  /** What is wrong once `seconds` have passed. */
  const alertsAfter = (seconds: number): Alert['name'][] => {
    clock.seconds += seconds;
    run.snapshot();
    return (eventsOf('alerts').at(-1) ?? []).map(({ name }) => name);
  };
  return { run, clock, stop, told: eventsOf, alertsAfter };
}

test('what is wrong is told once, and again when it is over', (t) => {
  const { run, clock, stop, told, alertsAfter } = watched();
  t.deepEqual(alertsAfter(1), []);
  run.recordStep(stepRecord(1));
  t.deepEqual(alertsAfter(61), ['ThreadloomNoProgress']);
  for (let i = 0; i < 5; i++) alertsAfter(1);
  t.is(told('alerts').length, 1);
  t.is(told('alerts')[0][0].since, clock.seconds - 66);
  run.recordStep(stepRecord(2));
  t.deepEqual(alertsAfter(1), []);
  t.is(told('alerts').length, 2);
  stop();
});

test('steps that none follows are told, and what is wrong by then', async (t) => {
  const { run, clock, stop, told } = watched();
  run.recordStep(stepRecord(1));
  run.snapshot();
  run.recordStep(stepRecord(2));
  clock.seconds += 61;
  // The run keeps no process alive.
  const alive = setInterval(() => {}, 10_000);
  await new Promise<void>((resolve) => {
    const leave = run.listen(({ name }) => name === 'alerts' && resolve(leave()));
  });
  clearInterval(alive);
  t.deepEqual(
    told('points').map((points) => points.map(({ step }) => step)),
    [[1], [2]],
  );
  t.deepEqual(
    told('alerts').map((alerts) => alerts.map(({ name }) => name)),
    [['ThreadloomNoProgress']],
  );
  stop();
});

test('steps of one moment are told together, a few times a second', async (t) => {
  const { run, clock, stop, told } = watched();
  for (let step = 1; step <= 20; step++) {
    clock.seconds += 0.1;
    for (const part of [0, 0.5]) run.recordStep(stepRecord(step + part));
    await new Promise(setImmediate);
  }
  const points = told('points');
  t.true(points.length >= 6 && points.length <= 8, `${points.length} events in two seconds`);
  t.true(points.every((event) => event.length % 2 === 0));
  stop();
});

test('no step is missed while the first validation lasts, and one is after it', (t) => {
  const { run, stop, alertsAfter } = watched();
  run.recordStep(stepRecord(1));
  run.recordEvaluationBegin();
  t.deepEqual(alertsAfter(400), []);
  run.recordEvaluation({ step: 1, loss: 2, bestLoss: 2, seconds: 400 });
  t.deepEqual(alertsAfter(59), []);
  t.deepEqual(alertsAfter(2), ['ThreadloomNoProgress']);
  stop();
});

test('a failed checkpoint is told until one is written', (t) => {
  const { run, stop, alertsAfter } = watched();
  run.recordCheckpointFailure();
  t.deepEqual(alertsAfter(1), ['ThreadloomCheckpointFailing']);
  run.recordCheckpoint({ bytes: 1000, seconds: 0.1 });
  t.deepEqual(alertsAfter(1), []);
  stop();
});

test('checkpoints and memory are told when they change, memory by a MiB or more', (t) => {
  const { run, clock, stop, told, alertsAfter } = watched();
  run.recordRun({
    ...RUN,
    arenaBytes: new Map([
      ['a', 1000],
      ['b', 24],
    ]),
  });
  run.recordCheckpoint({ bytes: 1000, seconds: 0.1 });
  run.recordCheckpointSkipped();
  alertsAfter(1);
  t.deepEqual(told('upkeep').at(-1), {
    checkpoint: { time: 1000, bytes: 1000 },
    counts: { written: 1, failed: 0, skipped: 1 },
    residentBytes: 2 ** 27,
    arenaBytes: 1024,
  });
  const before = told('upkeep').length;
  clock.residentBytes += 2 ** 20 - 1;
  alertsAfter(1);
  t.is(told('upkeep').length, before);
  clock.residentBytes += 1;
  alertsAfter(1);
  t.is(told('upkeep').at(-1)?.residentBytes, 2 ** 27 + 2 ** 20);
  run.recordCheckpointFailure();
  alertsAfter(1);
  t.is(told('upkeep').length, before + 2);
  t.is(told('upkeep').at(-1)?.counts?.failed, 1);
  stop();
});

test('each thread that died is counted once, of the pool and of the actors', (t) => {
  const { run, stop, told, alertsAfter } = watched();
  const pool = { workers: 2, restarts: 1, repeatedTasks: 1, busySeconds: [] };
  run.recordPool({ ...pool, actorRestarts: { loader: 0, writer: 0 } });
  run.recordPool({ ...pool, actorRestarts: { loader: 1, writer: 0 } });
  run.recordPool({ ...pool, actorRestarts: { loader: 1, writer: 0 } });
  t.deepEqual(alertsAfter(1), ['ThreadloomWorkerRestarting']);
  t.regex(told('alerts')[0][0].message, /^2 threads died/);
  stop();
});

test('a step that was not finite is told after the end', (t) => {
  const { run, stop, alertsAfter } = watched();
  run.recordNotFinite();
  run.end('failed', 'The gradient is not finite.');
  t.deepEqual(alertsAfter(1), ['ThreadloomLossNotFinite']);
  stop();
});

test('at its end a run tells its last step again, with the time of what came after it', (t) => {
  const { run, stop, told } = watched();
  const pool = { workers: 2, restarts: 0, repeatedTasks: 0, actorRestarts: {} };
  run.recordStep(stepRecord(1, { busySeconds: [0.5, 0.25] }));
  run.recordPhase('load', 3);
  run.recordPool({ ...pool, busySeconds: [3.5, 1.75] });
  run.end('finished');
  const [completed] = told('completed');
  t.is(completed.step, 1);
  t.deepEqual(completed.phaseSeconds, [3.25, 0.5, 0.25]);
  t.deepEqual(completed.busyShares, [0.875, 0.438]);
  run.end('finished');
  t.is(told('completed').length, 1, 'it is told once');
  stop();
});

test('what is not finite is told as such, be it a validation or a gradient', (t) => {
  const { run, stop, told } = watched();
  run.recordStep(stepRecord(1));
  run.recordEvaluation({ step: 1, loss: Number.NaN, bestLoss: 2, seconds: 1 });
  t.deepEqual(told('evaluation'), [{ step: 1, tokens: 32, loss: null, best: false }]);
  const normByLag = [{ lag: 0, norm: Number.POSITIVE_INFINITY }];
  const layers = [{ layer: '0', gradientNorm: 1, updateRatio: 0.5, normByLag }];
  run.recordGradients({ step: 1, layers });
  const history: Snapshot = JSON.parse(run.snapshot().json);
  const expected = [{ ...layers[0], normByLag: [{ lag: 0, norm: null }] }];
  t.deepEqual(history.gradients[0].layers, expected);
  t.deepEqual(told('gradients')[0].layers, expected);
  stop();
});

test('of a long sample the beginning is told, and says so', (t) => {
  const { run, stop, told } = watched();
  run.recordSample({ step: 1, text: 'x'.repeat(100_000) });
  t.regex(told('sample')[0].text, /^x{20000}\n… and 80,000 characters more/);
  stop();
});

test('the workers of a point were busy for their share of its step', (t) => {
  const { run, stop, told } = watched();
  const pool = { workers: 2, restarts: 0, repeatedTasks: 0, actorRestarts: {} };
  // Both are told together, while the pool is at the second.
  run.recordStep(stepRecord(1, { busySeconds: [0.75, 0.5] }));
  run.recordStep(stepRecord(2, { busySeconds: [1.25, 1.5] }));
  run.recordPool({ ...pool, busySeconds: [1.5, 1.5] });
  // A validation of three seconds, and a step of one.
  run.recordEvaluation({ step: 2, loss: 2, bestLoss: 2, seconds: 3 });
  run.recordPool({ ...pool, busySeconds: [3.25, 3.5] });
  run.recordStep(stepRecord(3, { busySeconds: [3.75, 4.5] }));
  run.end('finished');
  t.deepEqual(
    told('points')
      .flat()
      .map(({ busyShares }) => busyShares),
    [
      [0.75, 0.5],
      [0.5, 1],
      [0.625, 0.75],
    ],
  );
  stop();
});
