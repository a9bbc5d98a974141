/** That a run has failed is among its last values, whatever it failed of. */
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { resolveConfig } from '../../src/config/config.ts';
import { InputError, TrainingError } from '../../src/errors.ts';
import type { RunState } from '../../src/live/protocol.ts';
import { surroundings } from '../../src/machine.ts';
import type { TrainResult } from '../../src/recipes/reports.ts';
import { describeStart } from '../../src/recipes/run-description.ts';
import { Watching } from '../../src/recipes/watching.ts';
import { VERSION } from '../../src/version.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { parseSeries, RUN } from '../metrics/scrape.ts';

const RESULT = { interrupted: false, failures: [] as string[] } as TrainResult;

/** A run that has begun, and what ends its last minutes. */
async function begun(t: ExecutionContext) {
  const run = join(temporaryFolder(t), 'r');
  const settings = { files: ['text.txt'], run, metricsPort: 0, metricsLinger: 600 };
  const config = resolveConfig(settings, surroundings());
  const watching = await Watching.start(config, {});
  t.teardown(() => watching.close());
  watching.recorder.recordRun(RUN);
  await watching.begin(describeStart(config, VERSION));
  return { watching, over: new AbortController() };
}

const tells = test.macro(
  async (
    t,
    end: (watching: Watching, signal: AbortSignal) => Promise<void>,
    failed: number,
    state: Partial<RunState>,
  ) => {
    const { watching, over } = await begun(t);
    watching.recorder.recordEnd();
    const ending = end(watching, over.signal);
    const { url } = watching.server!.address;
    const series = parseSeries(await (await fetch(`${url}/metrics`)).text());
    t.is(series.get('threadloom_run_failed'), failed);
    t.is(series.get('threadloom_training_active'), 0);
    const events = await fetch(`${url}/events`);
    let text = '';
    for await (const piece of events.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const data = /^event: snapshot\ndata: (.*)\n\n/m.exec(text)?.[1];
      if (data === undefined) continue;
      t.like(JSON.parse(data).state, state);
      break;
    }
    over.abort();
    await ending;
  },
);

test('a run that ends as planned', tells, (watching, signal) => watching.end(RESULT, signal), 0, {
  kind: 'finished',
  message: undefined,
});
test(
  'a run that was stopped',
  tells,
  (watching, signal) => watching.end({ ...RESULT, interrupted: true }, signal),
  0,
  { kind: 'stopped', message: undefined },
);
test(
  'a run that could not write all',
  tells,
  (watching, signal) => watching.end({ ...RESULT, failures: ['No room.'] }, signal),
  1,
  {
    kind: 'finished',
    message:
      'Not all files of the run could be written: its command tells which, and ends with exit code 1.',
  },
);
for (const error of [
  new TrainingError('A worker failed 3 times.'),
  new InputError('Expected the text to stay as it was.'),
  new Error('ENOSPC'),
]) {
  test(
    `a run that fails of a ${error.name}`,
    tells,
    (watching, signal) => watching.fail(error, signal),
    1,
    { kind: 'failed' },
  );
}

const countsFailures = test.macro(
  async (t, errorOf: (signal: AbortSignal) => Error, expected: number) => {
    const { watching, over } = await begun(t);
    let failures = 0;
    watching.recorder.recordFailure = () => failures++;
    over.abort();
    await watching.fail(errorOf(over.signal), over.signal);
    t.is(failures, expected);
  },
);
test('a run that fails after it was asked to stop', countsFailures, () => new Error('ENOSPC'), 1);
test('a run that ends for being asked to stop', countsFailures, (signal) => signal.reason, 0);

test('what is refused before it begins is not served on', async (t) => {
  const run = join(temporaryFolder(t), 'r');
  const settings = { files: ['text.txt'], run, metricsPort: 0, metricsLinger: 600 };
  const watching = await Watching.start(resolveConfig(settings, surroundings()), {});
  t.teardown(() => watching.close());
  await watching.fail(new InputError('Expected a text.'));
  t.pass();
});
