/**
 * What it costs to watch a training: two processes train the same, one with everything on that tells of it and one with
 * everything off, and take turns. Run as `npm run telemetry-cost`, on an idle machine.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, cpus, loadavg, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/config/config.ts';
import { expected, InputError } from '../../src/errors.ts';
import { surroundings } from '../../src/machine.ts';
import { runWithFlags, wholeOf } from '../flags.ts';
import { type Program, startProgram } from '../http-load/program.ts';
import { fullestMetrics } from './fullest-scrape.ts';
import type { Trainee } from './training.ts';

const GRADIENTS_EVERY = 100;
/** Steps of a turn: short, so that the machine is the same to both. */
const WINDOW_STEPS = 25;
const SCRAPE_MILLISECONDS = 1000;
const RENDERS = 50;
const MODEL = { hidden: 256, layers: 2, batch: 64, chunk: 64 } as const;
const OFF = { metrics: false, gradientsEvery: 0 } as const;
const ON = { metrics: true, metricsPort: 0, gradientsEvery: GRADIENTS_EVERY } as const;

const HELP = `npm run telemetry-cost

Trains in two processes that take turns of ${WINDOW_STEPS} steps: one with metrics served and scraped once a second, a live page's events
taken and gradients looked at every ${GRADIENTS_EVERY} steps, the other with none of it. Compares the time of the steps. Then renders the
longest scrape there can be.

  --pairs  how many pairs of processes, one after the other (6)
  --steps  timed steps of each process, a multiple of ${GRADIENTS_EVERY} (200)
`;

const FLAGS = {
  pairs: { type: 'string', default: '6' },
  steps: { type: 'string', default: '200' },
} as const;

await runWithFlags(HELP, FLAGS, (flags) => {
  const steps = wholeOf('steps', flags.steps, { least: GRADIENTS_EVERY });
  if (steps % GRADIENTS_EVERY !== 0) {
    throw new InputError(expected(`--steps to be a multiple of ${GRADIENTS_EVERY}`, steps));
  }
  return measure(wholeOf('pairs', flags.pairs, { least: 1 }), steps);
});

async function measure(pairs: number, steps: number): Promise<void> {
  // Scrapers are elsewhere: what they do themselves is not to be taken for what they cost.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const loadBefore = loadavg()[0];
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-telemetry-'));
  try {
    const file = join(folder, 'text.txt');
    writeFileSync(file, 'the quick brown fox jumps over the lazy dog\n'.repeat(20_000));
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const { on, off } = await measurePair(file, folder, steps);
      ratios.push(on / off);
      log(
        `pair ${pair + 1}: ${on.toFixed(3)} s on, ${off.toFixed(3)} s off, ratio ${(on / off).toFixed(4)}`,
      );
    }
    process.stdout.write(report(ratios, steps, loadBefore, await measureRender()));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Seconds of all timed steps of two processes. */
async function measurePair(
  file: string,
  folder: string,
  steps: number,
): Promise<{ on: number; off: number }> {
  const on = await startTraining(file, join(folder, 'on'), ON);
  const off = await startTraining(file, join(folder, 'off'), OFF);
  try {
    const watched = await watch(on);
    const total = { on: 0, off: 0 };
    for (let window = -1; window < steps / WINDOW_STEPS; window++) {
      const seconds = { on: 0, off: 0 };
      const turns = { on: () => watched.during(() => turn(on)), off: () => turn(off) };
      // Off and on, on and off: a machine that gets slower favours neither.
      for (const name of window % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
        seconds[name] = await turns[name]();
      }
      if (window < 0) continue; // To warm up.
      total.on += seconds.on;
      total.off += seconds.off;
    }
    return total;
  } finally {
    for (const { child } of [on, off]) child.kill('SIGKILL');
    await Promise.all([on.closed, off.closed]);
  }
}

/** A run without end that stands still before its first step. */
async function startTraining(file: string, run: string, telemetry: Settings): Promise<Program> {
  const settings: Settings = {
    ...MODEL,
    ...telemetry,
    ...{ files: [file], run, force: true, epochs: 1_000_000 },
    ...{ valFraction: 0, evalEvery: 2_000_000_000, checkpointEvery: 0 },
  };
  const trainee: Trainee = { settings, steps: WINDOW_STEPS };
  const program = startProgram('../telemetry-cost/training.js', [JSON.stringify(trainee)]);
  await program.shows(/^metrics /m);
  return program;
}

/** Trains a window; its seconds. */
async function turn({ child, closed }: Program): Promise<number> {
  const output = once(child.stdout, 'data');
  child.stdin.write('\n');
  const [seconds] = await Promise.race([output, closed.then(() => [Number.NaN])]);
  if (!(Number(seconds) > 0)) throw new Error('The training ended before its last step');
  return Number(seconds);
}

/** Takes the live page's events, and scrapes during turns. */
async function watch(program: Program) {
  const [, url] = await program.shows(/^metrics (http\S+)$/m);
  void takeEvents(new URL('/events', url));
  const scrape = () =>
    fetch(url).then(
      (response) => response.text(),
      () => undefined, // Killed by then.
    );
  return {
    async during<Result>(work: () => Promise<Result>): Promise<Result> {
      void scrape();
      const scraping = setInterval(scrape, SCRAPE_MILLISECONDS);
      try {
        return await work();
      } finally {
        clearInterval(scraping);
      }
    },
  };
}

/** Until the run is killed. */
async function takeEvents(url: URL): Promise<void> {
  const { body } = await fetch(url);
  await body?.pipeTo(new WritableStream()).catch(() => undefined);
}

/** Milliseconds and length of the longest scrape: median of some. */
async function measureRender(): Promise<{ milliseconds: number; bytes: number }> {
  const metrics = fullestMetrics();
  const times: number[] = [];
  let text = '';
  for (let i = 0; i < RENDERS; i++) {
    const started = performance.now();
    text = await metrics.render();
    times.push(performance.now() - started);
  }
  return { milliseconds: median(times), bytes: Buffer.byteLength(text) };
}

function report(
  ratios: readonly number[],
  steps: number,
  loadBefore: number,
  render: { milliseconds: number; bytes: number },
): string {
  const model = Object.entries(MODEL).map(([name, value]) => `--${name} ${value}`);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(4));
  return `
machine    ${surroundings().cores} cores of ${cpus()[0]?.model.trim()}, load average ${loadBefore.toFixed(1)} at the start
training   ${model.join(' ')}, all cores, ${steps} steps a process, in turns of ${WINDOW_STEPS}
telemetry  metrics scraped once a second, a live page open, gradients every ${GRADIENTS_EVERY} steps
time       on / off, median of ${ratios.length} pairs of processes: ${median(ratios).toFixed(4)} (from ${least} to ${most})
scrape     ${render.milliseconds.toFixed(2)} ms to render the longest there can be, ${render.bytes} bytes; median of ${RENDERS}
`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
