import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Finished, QUIET_TINY, runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';
import { runTogether } from '../helpers/together.ts';

interface Outcome extends Finished {
  config: Record<string, unknown>;
}

/** The configuration that flags, environment and files came to. */
async function trained(
  t: ExecutionContext,
  args: readonly string[],
  files: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<Outcome> {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const whole = [
    'train',
    'text.txt',
    '--run',
    'r',
    '--steps',
    '1',
    '--no-metrics',
    '--quiet',
    ...args,
  ];
  const [outcome] = await runTogether([{ args: whole, cwd, env }]);
  t.is(outcome.code, 0, outcome.stderr);
  return { ...outcome, config: JSON.parse(readFileSync(join(cwd, 'r', 'config.json'), 'utf8')) };
}

const SMALL = ['--batch', '4', '--chunk', '8', '--embed', '4'];

test('flags beat the environment, which beats the configuration file, which beats defaults', async (t) => {
  const file = 'hidden: 9\nlayers: 2\nlr: 0.5\ndropout: 0.1\n';
  const { config } = await trained(
    t,
    [...SMALL, '--config', 'c.yaml', '--hidden', '7'],
    { 'c.yaml': file },
    { THREADLOOM_HIDDEN: '8', THREADLOOM_LAYERS: '3', THREADLOOM_SEED: '12' },
  );
  t.like(config, {
    hidden: 7,
    layers: 3,
    lr: 0.5,
    dropout: 0.1,
    seed: 12,
    warmup: 0,
    cell: 'lstm',
  });
});

test('a configuration file is YAML or JSON, its keys in either spelling', async (t) => {
  const yaml = 'cell: gru\nclip-norm: 2.5 # kebab\nevalStreams: 3\nval:\n  - v.txt\n';
  const json = JSON.stringify({
    cell: 'rnn',
    activation: 'relu',
    'weight-decay': 0.1,
    clipValue: 3,
  });
  const files = { 'c.yaml': yaml, 'c.json': json, 'v.txt': 'loom thread loom ' };
  const one = await trained(t, [...SMALL, '--config', 'c.yaml'], files);
  t.like(one.config, { cell: 'gru', clipNorm: 2.5, evalStreams: 3 });
  t.regex(String((one.config.val as string[])[0]), /\/v\.txt$/);
  const two = await trained(t, [...SMALL, '--config', 'c.json'], files);
  t.like(two.config, { cell: 'rnn', activation: 'relu', weightDecay: 0.1, clipValue: 3 });
});

test("a run's config.json starts the same run again", async (t) => {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const first = [
    'train',
    'text.txt',
    ...QUIET_TINY,
    '--cell',
    'gru',
    '--steps',
    '3',
    '--run',
    'a',
    '--json',
  ];
  const again = ['train', '--config', 'a/config.json', '--run', 'b', '--json'];
  const [one, two] = await runTogether([first, again].map((args) => ({ args, cwd, env: {} })));
  t.is(JSON.parse(two.stdout).paramsSha256, JSON.parse(one.stdout).paramsSha256);
});

test('every kind of setting can come from the environment', async (t) => {
  const { config } = await trained(
    t,
    SMALL,
    { 'v w.txt': 'loom thread', 'x.txt': 'weft warp' },
    {
      THREADLOOM_CELL: 'rnn',
      THREADLOOM_LR: '1e-3',
      THREADLOOM_CHECKPOINT_EVERY: '0',
      THREADLOOM_VAL: 'v w.txt:x.txt',
      THREADLOOM_FORCE: 'true',
    },
  );
  t.like(config, { cell: 'rnn', lr: 1e-3, checkpointEvery: 0 });
  t.deepEqual(
    (config.val as string[]).map((path) => path.split('/').pop()),
    ['v w.txt', 'x.txt'],
  );
});

test('flags take any way of writing a number, and both ways of giving it', async (t) => {
  const args = [
    ...SMALL,
    '--lr=2e-3',
    '--hidden',
    '0x10',
    '--dropout=.25',
    '--warmup',
    '3.0',
    '--seed=0',
  ];
  const { config } = await trained(t, args);
  t.like(config, { lr: 0.002, hidden: 16, dropout: 0.25, warmup: 3, seed: 0 });
});

test('--val takes several files at once and one by one', async (t) => {
  const files = { 'v.txt': 'loom thread', 'w.txt': 'weft', 'x.txt': 'warp' };
  const { config } = await trained(
    t,
    [...SMALL, '--val', 'v.txt', 'w.txt', '--val', 'x.txt'],
    files,
  );
  t.deepEqual(
    (config.val as string[]).map((path) => path.split('/').pop()),
    ['v.txt', 'w.txt', 'x.txt'],
  );
});

test('a switch can be turned off', async (t) => {
  const on = 'nesterov: true\noptimizer: sgd\nmomentum: 0.5\n';
  const { config } = await trained(t, [...SMALL, '--config', 'c.yaml', '--no-nesterov'], {
    'c.yaml': on,
  });
  t.like(config, { nesterov: false, momentum: 0.5 });
});

test('resume takes its settings from the environment too, and leaves the others', async (t) => {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const env = { THREADLOOM_STEPS: '5', THREADLOOM_HIDDEN: '99', THREADLOOM_METRICS: 'false' };
  const train = await runCli(
    t,
    ['train', 'text.txt', ...QUIET_TINY, '--steps', '2', '--run', 'r', '--quiet'],
    { cwd },
  );
  t.is(train.code, 0);
  const { stdout } = await runCli(t, ['resume', 'r', '--json'], { cwd, env });
  t.is(JSON.parse(stdout).steps, 5);
});
