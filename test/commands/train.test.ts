import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { CLI, QUIET_TINY, runCli, startCli, TINY } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';

function place(t: ExecutionContext): string {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  return cwd;
}

const train = (...args: string[]) => ['train', 'text.txt', ...QUIET_TINY, '--steps', '4', ...args];

test('--json prints one object with every field, and nothing else on stdout', async (t) => {
  const cwd = place(t);
  const { code, stdout } = await runCli(t, train('--run', 'r', '--json', '--workers', '2'), {
    cwd,
  });
  t.is(code, 0);
  const result = JSON.parse(stdout);
  const { seconds, tokensPerSecond, trainLoss, evalLoss, paramsSha256, checkpoint, ...rest } =
    result;
  t.like(rest, {
    run: join(cwd, 'r'),
    workers: 2,
    lanes: 4,
    steps: 4,
    epochs: 4 / 33,
    tokens: 4 * 32,
    interrupted: false,
    failures: [],
  });
  t.regex(result.backend, /^(wasm|native)$/);
  t.is(result.bitsPerToken, evalLoss / Math.LN2);
  t.is(result.perplexity, Math.exp(evalLoss));
  t.is(rest.parameters, rest.parameters | 0);
  t.true(rest.parameters > 500);
  t.true(seconds > 0 && tokensPerSecond > 0 && trainLoss > 0 && evalLoss > 0);
  t.regex(paramsSha256, /^[0-9a-f]{64}$/);
  t.is(checkpoint, join(cwd, 'r', 'checkpoints', 'step-00000004.ckpt'));
});

test('progress is plain lines on stderr, the result rows on stdout', async (t) => {
  const cwd = place(t);
  const { stdout, stderr } = await runCli(t, train('--run', 'r'), { cwd });
  for (const row of ['model', 'text', 'steps', 'memory', 'compute', 'run', 'watch it', 'metrics']) {
    t.regex(stderr, new RegExp(`^  ${row} +\\S`, 'm'), row);
  }
  t.regex(stderr, /^ {2}metrics +off$/m);
  t.regex(
    stderr,
    /^validation after 0 steps: \d\.\d{4} nats \(\d\.\d{4} bits, perplexity [\d.]+\)$/m,
  );
  t.regex(
    stderr,
    /^step 4\/4 · epoch 1 · loss \d\.\d{4} · [\d,]+ tokens\/s · gradient norm [\d.]+/m,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escapes are what must not be there.
  t.notRegex(stderr, /[\u001b\r]/);
  t.regex(stdout, /^ {2}trained +4 steps, 128 tokens; /m);
  t.regex(stdout, /^ {2}parameters +SHA-256 [0-9a-f]{64}$/m);
});

test('--quiet says nothing but warnings', async (t) => {
  const cwd = place(t);
  const workers = Math.max(4, availableParallelism()) + 3;
  const quiet = await runCli(t, train('--run', 'a', '--quiet', '--workers', '1'), { cwd });
  t.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', '']);
  const warned = await runCli(t, train('--run', 'b', '--quiet', '--workers', String(workers)), {
    cwd,
  });
  t.is(warned.code, 0);
  t.is(warned.stdout, '');
  t.is(warned.lines.length, 2);
  t.regex(
    warned.lines[0],
    new RegExp(`^warning: --workers ${workers} is more than the [0-9]+ cores this process may use`),
  );
  t.regex(
    warned.lines[1],
    new RegExp(
      `^warning: ${workers - 4} of ${workers} workers stay idle in the compute phase: there are 4 lanes`,
    ),
  );
});

test('--quiet and --json print the object alone', async (t) => {
  const cwd = place(t);
  const { stdout, stderr } = await runCli(
    t,
    train('--run', 'r', '--quiet', '--json', '--workers', '1'),
    { cwd },
  );
  t.is(stderr, '');
  t.is(JSON.parse(stdout).steps, 4);
});

test('1 and 2 workers give the same paramsSha256', async (t) => {
  const cwd = place(t);
  const shas = await Promise.all(
    ['1', '2', '3'].map(async (workers) => {
      const args = train('--run', workers, '--workers', workers, '--json', '--quiet');
      return JSON.parse((await runCli(t, args, { cwd })).stdout).paramsSha256;
    }),
  );
  t.is(new Set(shas).size, 1);
});

test('without --run each run gets a folder of its own below runs/', async (t) => {
  const cwd = place(t);
  const runs = await Promise.all(
    [1, 2].map(
      async () => JSON.parse((await runCli(t, train('--json', '--quiet'), { cwd })).stdout).run,
    ),
  );
  t.is(new Set(runs).size, 2);
  t.deepEqual(
    readdirSync(join(cwd, 'runs')).map((name) => join(cwd, 'runs', name)),
    runs.sort(),
  );
  t.regex(runs[0], /\/runs\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f]{4}$/);
});

test('standard input is a text, and several files are one', async (t) => {
  const cwd = place(t);
  const whole = readFileSync(join(cwd, 'text.txt'), 'utf8');
  writeFileSync(join(cwd, 'a.txt'), whole.slice(0, 700));
  writeFileSync(join(cwd, 'b.txt'), whole.slice(700));
  const others = [...QUIET_TINY, '--steps', '4', '--json', '--quiet'];
  const sha256 = async (args: string[], input?: string) =>
    JSON.parse((await runCli(t, args, { cwd, input })).stdout).paramsSha256;
  const expected = await sha256(['train', 'text.txt', ...others, '--run', 'whole']);
  t.is(await sha256(['train', 'a.txt', 'b.txt', ...others, '--run', 'parts']), expected);
  t.is(await sha256(['train', '-', ...others, '--run', 'piped'], whole), expected);
  t.is(
    await sha256(['train', 'a.txt', '-', ...others, '--run', 'both'], whole.slice(700)),
    expected,
  );
});

test('files behind -- are files, whatever their names begin with', async (t) => {
  const cwd = place(t);
  writeText(cwd, '--steps', 600, 9);
  const args = [
    'train',
    ...QUIET_TINY,
    '--steps',
    '1',
    '--run',
    'r',
    '--quiet',
    'text.txt',
    '--',
    '--steps',
  ];
  const { code, stderr } = await runCli(t, args, { cwd });
  t.is(code, 0, stderr);
  const { files } = JSON.parse(readFileSync(join(cwd, 'r', 'config.json'), 'utf8'));
  t.deepEqual(files, [join(cwd, 'text.txt'), join(cwd, '--steps')]);
});

test('a terminal gets one line that is rewritten', async (t) => {
  const cwd = place(t);
  if (spawnSync('script', ['--version']).error) {
    t.log('script is not installed: skipped');
    t.pass();
    return;
  }
  const command = [process.execPath, CLI, ...train('--run', 'r')].join(' ');
  const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(terminal.stdout), once(terminal, 'close')]);
  t.is(code, 0);
  // To the first column and clear the line.
  t.true(output.includes('\u001b[1G') && output.includes('\u001b[2K'));
  t.regex(output, /step 4\/4/);
});

test('no progress is lost where stderr is closed, and the run is whole', async (t) => {
  const cwd = place(t);
  const running = startCli(t, train('--run', 'r', '--epochs', '2'), { cwd });
  running.child.stderr.destroy();
  const { code, stdout } = await running.finished;
  t.is(code, 0);
  t.regex(stdout, /^ {2}trained +4 steps/m);
});

test('a run that ends while metrics linger serves them until Ctrl-C', async (t) => {
  const cwd = place(t);
  const args = [
    'train',
    'text.txt',
    ...TINY,
    '--steps',
    '4',
    '--run',
    'r',
    '--metrics-port',
    '0',
    '--metrics-linger',
    '600',
  ];
  const running = startCli(t, args, { cwd });
  const [, url] = await running.shows(/metrics +(http\S+)\n/);
  await running.shows(/step 4\/4/);
  let series = '';
  while (!/^threadloom_steps_total\S* 4$/m.test(series)) series = await (await fetch(url)).text();
  running.child.kill('SIGINT');
  const { code } = await running.finished;
  t.is(code, 0);
});
