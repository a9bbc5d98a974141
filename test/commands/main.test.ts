import test from 'ava';
import { trainSettings } from '../../src/config/config.ts';
import { evaluateSettings, sampleSettings } from '../../src/config/model-use-settings.ts';
import { VERSION } from '../../src/version.ts';
import { QUIET_TINY, runCli, startCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';

const FLAGS = {
  train: trainSettings.entries.map(({ flag }) => flag).filter((flag) => flag !== 'files'),
  resume: [
    '--workers',
    '--steps',
    '--epochs',
    '--metrics-port',
    '--metrics-host',
    '--metrics-allowed-hosts',
    '--metrics-linger',
    '--quiet',
  ],
  sample: sampleSettings.entries.map(({ flag }) => flag),
  eval: evaluateSettings.entries.map(({ flag }) => flag),
  inspect: ['--json'],
};

for (const [command, flags] of Object.entries(FLAGS)) {
  test(`${command} --help shows every flag and an example`, async (t) => {
    const { code, stdout, stderr } = await runCli(t, [command, '--help']);
    t.is(code, 0);
    t.is(stderr, '');
    for (const flag of flags) t.regex(stdout, new RegExp(`${flag}\\b`), flag);
    t.regex(stdout, /--json/);
    t.regex(stdout, /Examples:\n +threadloom /);
  });
}

test('--help lists the commands', async (t) => {
  const { code, stdout } = await runCli(t, ['--help']);
  t.is(code, 0);
  for (const command of [
    'train [files..]',
    'resume <run>',
    'sample <run>',
    'eval <run> [files..]',
    'inspect <target>',
  ]) {
    t.true(stdout.includes(`threadloom ${command}`), command);
  }
});

test('--version is the version', async (t) => {
  const { code, stdout } = await runCli(t, ['--version']);
  t.is(code, 0);
  t.is(stdout, `${VERSION}\n`);
});

test('completion prints a script, and completes commands and flags', async (t) => {
  const script = await runCli(t, ['completion']);
  t.is(script.code, 0);
  t.regex(script.stdout, /threadloom/);
  t.regex(script.stdout, /complete|compdef/);
  const flags = await runCli(t, ['--get-yargs-completions', 'threadloom', 'train', '--clip-']);
  t.regex(flags.stdout, /--clip-norm/);
  const commands = await runCli(t, ['--get-yargs-completions', 'threadloom', '']);
  t.regex(commands.stdout, /train/);
});

test('a reader that has enough is no error', async (t) => {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  t.is(
    (
      await runCli(
        t,
        ['train', 'text.txt', ...QUIET_TINY, '--steps', '1', '--run', 'r', '--quiet'],
        { cwd },
      )
    ).code,
    0,
  );
  const sampling = startCli(t, ['sample', 'r', '--length', '100000000'], { cwd });
  await sampling.shows(/[a-z .\n]/, 'stdout');
  sampling.child.stdout.destroy();
  const { code, stderr } = await sampling.finished;
  t.is(code, 0);
  t.is(stderr, '');
  const inspecting = startCli(t, ['inspect', 'r', '--json'], { cwd });
  inspecting.child.stdout.destroy();
  const inspected = await inspecting.finished;
  t.is(inspected.code, 0);
  t.is(inspected.stderr, '');
});
