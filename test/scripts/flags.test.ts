/** The programs that are run by hand say what they take, and in one line what is wrong. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const PROGRAMS = {
  torture: '../torture/main.js',
  soak: '../soak/main.js',
  'http-load': '../../scripts/http-load/measure.js',
  'telemetry-cost': '../../scripts/telemetry-cost/measure.js',
  peers: '../../scripts/peers/compare.js',
};

function runProgram(file: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [path, ...args], (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

for (const [name, file] of Object.entries(PROGRAMS)) {
  test(`${name} shows its flags`, async (t) => {
    const { code, out, err } = await runProgram(file, ['--help']);
    t.is(code, 0);
    t.is(err, '');
    t.regex(out, /^ {2}--\w+ /m);
  });

  test(`${name} refuses an unknown flag`, async (t) => {
    const { code, out, err } = await runProgram(file, ['--nonsense', '1']);
    t.deepEqual(
      { code, out, err },
      { code: 2, out: '', err: "Unknown option '--nonsense'. See --help.\n" },
    );
  });
}

for (const [name, args, message] of [
  ['torture', ['--minutes', 'x'], 'Expected --minutes to be a number, at least 0.1, got "x".'],
  ['torture', ['--seed', '1.5'], 'Expected --seed to be a whole number, at least 0, got "1.5".'],
  ['soak', ['--steps', ''], 'Expected --steps to be a whole number, at least 0, got "".'],
  [
    'http-load',
    ['--seconds', '61'],
    'Expected --seconds to be a number, from 0.1 to 60, got "61".',
  ],
  ['telemetry-cost', ['--steps', '150'], 'Expected --steps to be a multiple of 100, got 150.'],
  ['peers', ['--rounds', '0'], 'Expected --rounds to be a whole number, at least 1, got "0".'],
  ['peers', ['--shapes', '2'], 'Expected --shapes to be some of '],
] as const) {
  test(`${name} refuses ${args.join(' ') || 'nothing'}`, async (t) => {
    const { code, out, err } = await runProgram(PROGRAMS[name], args);
    t.is(code, 2);
    t.is(out, '');
    t.true(err.startsWith(message), err);
    t.is(err.trim().split('\n').length, 1);
  });
}
