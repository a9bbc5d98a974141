/** Resuming where lines of the logs are not there: a power cut took them, or a full disk never had them. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { RunFolder } from '../../src/checkpoint/run-folder.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { checkpointSteps, linesOf, logsOf, noteWarnings, runPlace } from '../helpers/runs.ts';

const SETTINGS = { steps: 45, evalEvery: 10, checkpointEvery: 0, keep: 9 };

/** A run that was stopped after step 32, and one that never was. Checkpoints: 0, 10, 20, 30, 32. */
async function stoppedRun(t: ExecutionContext, keep = 9) {
  const place = runPlace(t);
  const controller = new AbortController();
  const onStep = ({ step }: { step: number }) => {
    if (step === 32) controller.abort();
  };
  const { signal } = controller;
  const settings = { ...SETTINGS, keep };
  const whole = await train(place.settings('whole', settings));
  const { run } = await train(place.settings('r', settings), { signal, stepsAtOnce: 1, onStep });
  return { run, whole, place };
}

async function resumeNoting(run: string) {
  const warnings: string[] = [];
  const result = await resume(run, {}, { onWarning: noteWarnings(warnings) });
  return { result, warnings };
}

const lineStart = (log: string, line: number) => log.split('\n', line).join('\n').length + 1;

for (const [log, line, kept] of [
  ['steps', 25, 20],
  ['evals', 2, 10],
] as const) {
  test(`lines lost from ${log}.ndjson are made again from an earlier checkpoint`, async (t) => {
    const { run, whole } = await stoppedRun(t);
    const path = join(run, `${log}.ndjson`);
    truncateSync(path, lineStart(readFileSync(path, 'utf8'), line) + 5);
    const { result, warnings } = await resumeNoting(run);
    t.is(result.paramsSha256, whole.paramsSha256);
    t.deepEqual(logsOf(run), logsOf(whole.run));
    const passed = [32, 30, 20].filter((step) => step > kept);
    t.is(warnings.length, passed.length);
    for (const [i, step] of passed.entries()) {
      t.regex(warnings[i], new RegExp(`step-000000${step}\\.ckpt" is passed over, because lines`));
      t.regex(warnings[i], new RegExp(`${log}\\.ndjson has only \\d+ of its \\d+ bytes\\.$`));
    }
  });
}

test('lines lost for every checkpoint stay missing, and the newest goes on', async (t) => {
  const { run, whole } = await stoppedRun(t, 1);
  t.deepEqual(checkpointSteps(run), [32]);
  const path = join(run, 'steps.ndjson');
  truncateSync(path, lineStart(readFileSync(path, 'utf8'), 12) + 5);
  const { result, warnings } = await resumeNoting(run);
  t.is(result.paramsSha256, whole.paramsSha256);
  t.deepEqual(result.failures, []);
  t.is(warnings.length, 1);
  t.regex(
    warnings[0],
    /^Lines of the run's logs are lost and stay missing: .*steps\.ndjson has only/,
  );
  const expected = linesOf(logsOf(whole.run).steps).filter(({ step }) => step <= 12 || step > 32);
  t.deepEqual(linesOf(logsOf(run).steps), expected);
  t.is(logsOf(run).evals, logsOf(whole.run).evals);
});

test('a log of timings, which nobody can make again, sends nobody back', async (t) => {
  const { run, whole } = await stoppedRun(t);
  truncateSync(join(run, 'timings.ndjson'), 3);
  const { result, warnings } = await resumeNoting(run);
  t.is(result.paramsSha256, whole.paramsSha256);
  t.deepEqual(warnings, []);
  const timings = linesOf(readFileSync(join(run, 'timings.ndjson'), 'utf8'));
  t.deepEqual(
    timings.map(({ step }) => step),
    // The last one is of what came after all steps.
    [...Array.from({ length: 13 }, (_, i) => i + 33), 45],
  );
});

test('a run that ended while its configuration was written is begun anew without --force', async (t) => {
  const { settings, folder } = runPlace(t);
  mkdirSync(join(folder, 'r'));
  writeFileSync(join(folder, 'r', 'config.json.tmp'), '{ "files": [');
  const { run } = await train(settings('r', { steps: 2 }));
  t.false(existsSync(join(run, 'config.json.tmp')));
  t.true(existsSync(join(run, 'config.json')));
});

/** A run in `folder`/r that had begun with a text as its standard input; returns the folder that keeps it. */
function writeBegun(folder: string, text: string): string {
  const corpus = join(folder, 'r', 'corpus');
  mkdirSync(corpus, { recursive: true });
  writeFileSync(join(folder, 'r', 'config.json'), '{}');
  writeFileSync(join(corpus, 'stdin.txt'), readFileSync(text));
  return corpus;
}

test('a run begun anew keeps its standard input where it trains on it', async (t) => {
  const { settings, text, folder } = runPlace(t);
  const corpus = writeBegun(folder, text);
  const files = [join(corpus, 'stdin.txt')];
  const again = await train(settings('r', { steps: 2, files, force: true }));
  t.is(again.paramsSha256, (await train(settings('other', { steps: 2 }))).paramsSha256);
  await t.notThrowsAsync(train(settings('r', { steps: 2, force: true })));
  t.false(existsSync(corpus));
});

test('a run begun anew keeps its standard input where it validates on it, and came there by a link', async (t) => {
  const { settings, text, folder } = runPlace(t);
  const corpus = writeBegun(folder, text);
  symlinkSync(folder, join(folder, 'alias'));
  const val = [join(folder, 'alias', 'r', 'corpus', 'stdin.txt')];
  await t.notThrowsAsync(train(settings('r', { steps: 2, val, force: true })));
  t.deepEqual(readFileSync(join(corpus, 'stdin.txt')), readFileSync(text));
});

test('a folder that holds half a run always has a configuration, so that --force replaces it', (t) => {
  const { folder, text } = runPlace(t);
  const path = join(folder, 'r');
  const first = RunFolder.create(path, false, [text]);
  first.begin({ seed: 1 });
  first.close();
  RunFolder.create(path, true, [text]).close();
  t.notThrows(() => RunFolder.refuseExisting(path, true));
});
