/** Runs that cannot go on, because they or their text are not what they were. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { InputError } from '../../src/errors.ts';
import { resume, train } from '../../src/recipes/train.ts';
import { type RunPlace, runPlace, TINY_SETTINGS } from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';
import { treeOf } from '../helpers/tree.ts';

/** A run that was stopped after its third step, to copy. */
const shared = mkdtempSync(join(tmpdir(), 'threadloom-'));
const stopped = join(shared, 'stopped');
test.before(async () => {
  const controller = new AbortController();
  const onStep = ({ step }: { step: number }) => {
    if (step === 3) controller.abort();
  };
  const settings = { ...TINY_SETTINGS, files: [writeText(shared)], run: stopped, steps: 40 };
  await train(settings, { signal: controller.signal, stepsAtOnce: 1, onStep });
});
test.after.always(() => rmSync(shared, { recursive: true }));

const refused = test.macro({
  title: (name) => `${name} is not resumed, and its run stays as it was`,
  async exec(t, change: (place: RunPlace, run: string) => void, says: RegExp) {
    const place = runPlace(t);
    const run = join(place.folder, 'r');
    cpSync(stopped, run, { recursive: true });
    edit(join(run, 'config.json'), (text) => text.replaceAll(dirname(stopped), place.folder));
    change(place, run);
    const tree = treeOf(run);
    const error = await t.throwsAsync(resume(run), { instanceOf: InputError });
    t.regex(error.message, says);
    t.deepEqual(treeOf(run), tree);
  },
});
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));
const CHANGED =
  /^Expected the text the run was started with \(SHA-256 [0-9a-f]{12}…\), got "[0-9a-f]{12}…"\./;
test(
  'a text in which one letter changed',
  refused,
  ({ text }) => edit(text, (s) => `w${s.slice(1)}`),
  CHANGED,
);
test('a text that grew', refused, ({ text }) => edit(text, (s) => s + s), CHANGED);
test(
  'a text that is too short by now',
  refused,
  ({ text }) => edit(text, (s) => s.slice(0, 20)),
  CHANGED,
);
test(
  'a text with a new character',
  refused,
  ({ text }) => edit(text, (s) => `${s}é`),
  /"é" \(U\+00E9\) at character 1200/,
);
test('a text that is gone', refused, ({ text }) => rmSync(text), /There is no such file/);
test(
  'a run without a configuration',
  refused,
  (_, run) => rmSync(join(run, 'config.json')),
  /^Expected a run folder \(with a config\.json\)/,
);
test(
  'a run whose configuration is no JSON',
  refused,
  (_, run) => edit(join(run, 'config.json'), (s) => s.slice(0, 50)),
  /config\.json to be a run's configuration in JSON/,
);
test(
  'a run whose configuration has another width',
  refused,
  (_, run) => edit(join(run, 'config.json'), (s) => s.replace('"hidden": 8', '"hidden": 9')),
  /^Expected hidden 8, as in the checkpoint .*, got 9\./,
);
test(
  'a run that was killed before its first checkpoint',
  refused,
  (_, run) => rmSync(join(run, 'checkpoints'), { recursive: true }),
  /got none: it ended before the first was written\. Start it again: threadloom train --config \S+\/config\.json --run \S+\/r --force$/,
);
test(
  'a run whose newest checkpoint is of a newer Threadloom, and would be lost with an older one',
  refused,
  (_, run) => {
    const path = join(run, 'checkpoints', 'step-00000003.ckpt');
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(9, 8);
    writeFileSync(path, bytes);
  },
  /step-00000003\.ckpt.*written by a newer Threadloom/,
);
for (const [log, says] of [
  ['steps', /steps\.ndjson to be a log of the run that can be read, got what is no regular file/],
  ['timings', /timings\.ndjson to be writable: it is not a regular file/],
] as const) {
  test(
    `a run with a pipe in place of ${log}.ndjson`,
    refused,
    (_, run) => {
      rmSync(join(run, `${log}.ndjson`));
      execFileSync('mkfifo', [join(run, `${log}.ndjson`)]);
    },
    says,
  );
}
test(
  'a run with a folder in place of failure.json',
  refused,
  (_, run) => mkdirSync(join(run, 'failure.json')),
  /^Expected .*failure\.json to be a file that can be removed, got .*\. Move it away\.$/,
);
test(
  'a run whose checkpoints are all cut off',
  refused,
  (_, run) => {
    const folder = join(run, 'checkpoints');
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name));
      writeFileSync(join(folder, name), bytes.subarray(0, bytes.length - 40));
    }
  },
  /^No checkpoint of .* can be used\. .*truncated/,
);
