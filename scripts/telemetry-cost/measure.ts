/**
 * What it costs to watch a training: the same run with everything on that tells of it and with everything off, in alternating
 * pairs. Run as `npm run telemetry-cost`, on an idle machine.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, cpus, loadavg, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Settings } from '../../src/config/config.ts';
import { surroundings } from '../../src/machine.ts';
import { type Program, startProgram } from '../http-load/program.ts';
import { fullestMetrics } from './fullest-scrape.ts';
import type { Half } from './training.ts';

const GRADIENTS_EVERY = 100;
const WARM_UP_STEPS = 20;
const SCRAPE_MILLISECONDS = 1000;
const RENDERS = 50;
const MODEL = { hidden: 256, layers: 2, batch: 64, chunk: 64 } as const;
const OFF = { metrics: false, gradientsEvery: 0 } as const;
const ON = { metrics: true, metricsPort: 0, gradientsEvery: GRADIENTS_EVERY } as const;

const HELP = `npm run telemetry-cost

Trains with metrics served and scraped once a second, a live page's events taken and gradients looked at every ${GRADIENTS_EVERY} steps, and with none of it, in
alternating pairs; compares the time of the steps. Then renders the longest scrape there can be.

  --pairs  how many (8)
  --steps  timed steps of each half of a pair, a multiple of ${GRADIENTS_EVERY} (200)
`;

const { values: flags } = parseArgs({
  options: {
    pairs: { type: 'string', default: '8' },
    steps: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
});
const [pairs, steps] = [Number(flags.pairs), Number(flags.steps)];
if (flags.help) process.stdout.write(HELP);
else if (isPositive(pairs) && isPositive(steps) && steps % GRADIENTS_EVERY === 0) await measure();
else {
  log(
    `Expected --pairs to be a whole number above 0, and --steps a multiple of ${GRADIENTS_EVERY}.`,
  );
  process.exitCode = 2;
}

async function measure(): Promise<void> {
  // Scrapers are elsewhere: what they do themselves is not to be taken for what they cost.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const loadBefore = loadavg()[0];
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-telemetry-'));
  try {
    const file = join(folder, 'text.txt');
    writeFileSync(file, 'the quick brown fox jumps over the lazy dog\n'.repeat(20_000));
    const secondsOf = (telemetry: Settings) => trainHalf(file, join(folder, 'run'), telemetry);
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Off and on, on and off: a machine that gets slower favours neither.
      const before = pair % 2 === 0 ? await secondsOf(OFF) : 0;
      const on = await secondsOf(ON);
      const off = before || (await secondsOf(OFF));
      ratios.push(on / off);
      log(
        `pair ${pair + 1}: ${on.toFixed(3)} s on, ${off.toFixed(3)} s off, ratio ${(on / off).toFixed(4)}`,
      );
    }
    process.stdout.write(report(ratios, loadBefore, await measureRender()));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Seconds of the timed steps. */
async function trainHalf(file: string, run: string, telemetry: Settings): Promise<number> {
  const settings: Settings = {
    ...MODEL,
    ...telemetry,
    ...{ files: [file], run, force: true, epochs: 1_000_000 },
    ...{ valFraction: 0, evalEvery: 2_000_000_000, checkpointEvery: 0 },
  };
  const half: Half = { settings, warmUp: WARM_UP_STEPS, steps };
  const program = startProgram('../telemetry-cost/training.js', [JSON.stringify(half)]);
  const output = once(program.child.stdout, 'data');
  const scraping = telemetry.metrics ? await watch(program) : undefined;
  try {
    const [seconds] = await Promise.race([output, program.closed.then(() => [Number.NaN])]);
    await program.closed;
    if (!(Number(seconds) > 0)) throw new Error('The training ended before its last step');
    return Number(seconds);
  } finally {
    clearInterval(scraping);
    program.child.kill('SIGKILL');
  }
}

/** Takes the live page's events, and scrapes until it is told to stop. */
async function watch(program: Program): Promise<NodeJS.Timeout> {
  const [, url] = await program.shows(/^metrics (http\S+)$/m);
  void takeEvents(new URL('/events', url));
  const once = async () => {
    // The run may be over by then.
    await fetch(url).then(
      (response) => response.text(),
      () => undefined,
    );
  };
  return setInterval(() => void once(), SCRAPE_MILLISECONDS);
}

/** Until the run ends them. */
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
  loadBefore: number,
  render: { milliseconds: number; bytes: number },
): string {
  const model = Object.entries(MODEL).map(([name, value]) => `--${name} ${value}`);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(4));
  return `
machine    ${surroundings().cores} cores of ${cpus()[0]?.model.trim()}, load average ${loadBefore.toFixed(1)} at the start
training   ${model.join(' ')}, all cores, ${steps} steps a half
telemetry  metrics scraped once a second, a live page open, gradients every ${GRADIENTS_EVERY} steps
time       on / off, median of ${ratios.length} pairs: ${median(ratios).toFixed(4)} (from ${least} to ${most})
scrape     ${render.milliseconds.toFixed(2)} ms to render the longest there can be, ${render.bytes} bytes; median of ${RENDERS}
`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

function isPositive(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
