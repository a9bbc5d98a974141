/** A run keeps no file open that it does not need: the room of one that is removed would not be free. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import anyTest from 'ava';
import { EMPTY_LOGS, RunFolder } from '../../src/checkpoint/run-folder.ts';
import { InputError } from '../../src/errors.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { openFiles, tellsOpenFiles } from '../helpers/descriptors.ts';
import { runPlace } from '../helpers/runs.ts';

const test = tellsOpenFiles ? anyTest : anyTest.skip;

test('the checkpoint that a run starts from is closed before the first step', async (t) => {
  const { settings } = runPlace(t);
  const { run, checkpoint } = await train(settings('r', { steps: 3, schedule: 'constant' }));
  const open: boolean[] = [];
  const onStep = () => open.push(openFiles().includes(String(checkpoint)));
  await resume(run, { steps: 4 }, { onStep });
  await train(settings('other', { steps: 1, from: run }), {
    onStep: () => open.push(openFiles().some((path) => path.startsWith(join(run, 'checkpoints')))),
  });
  t.deepEqual(open, [false, false]);
});

test('logs that were opened before one that is refused are closed again', (t) => {
  const { text, folder } = runPlace(t);
  const run = RunFolder.create(join(folder, 'r'), false, [text]);
  t.teardown(() => run.close());
  mkdirSync(join(run.path, 'samples.ndjson'));
  t.throws(() => run.openLogs(EMPTY_LOGS), { instanceOf: InputError, message: /samples\.ndjson/ });
  const ofRun = () =>
    openFiles().filter((path) => path.endsWith('.ndjson') && path.startsWith(run.path));
  t.deepEqual(ofRun(), []);
  rmSync(join(run.path, 'samples.ndjson'), { recursive: true });
  const logs = Object.values(run.openLogs(EMPTY_LOGS));
  t.is(ofRun().length, logs.length);
  for (const log of logs) log.close();
});
