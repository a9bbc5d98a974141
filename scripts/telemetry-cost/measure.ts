/**
 * What it costs to watch a training: two processes train the same, one with everything on that tells of it and one with
 * everything off, and take turns. Run as `npm run telemetry-cost`, on an idle machine.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { formatBytes } from '../../src/bytes.ts';
import type { Settings } from '../../src/config/config.ts';
import { EXIT_CODES, expected, InputError } from '../../src/errors.ts';
import { surroundings } from '../../src/machine.ts';
import { median, trimmedMean } from '../../src/statistics.ts';
import { runWithFlags, wholeOf } from '../flags.ts';
import { type Program, startProgram } from '../http-load/program.ts';
import { fullMetrics, LONGEST, type ScrapeSize } from './full-scrape.ts';
import type { Trainee, Turn } from './training.ts';
import type { Watched } from './watcher.ts';

const GRADIENTS_EVERY = 100;
/** Steps of a turn: short, so that the machine is the same to both. */
const WINDOW_STEPS = 25;
/** Turns before the clock starts, in which V8 compiles what they use: once, however long the run. */
const WARM_UP_TURNS = 4;
/** Of the processor's time in a turn: what a training may take while the other one has its turn. */
const MOST_STILL = 0.01;
const RENDERS = 50;
/** Time of a turn with telemetry on, in units of that with it off. */
const MOST_RATIO = 1.01;
const MODEL = { hidden: 256, layers: 2, batch: 64, chunk: 64 } as const;
const TELEMETRY = {
  off: { metrics: false, gradientsEvery: 0 },
  on: { metrics: true, metricsPort: 0, gradientsEvery: GRADIENTS_EVERY },
} as const;
type Name = keyof typeof TELEMETRY;
type Trainings = Map<Name, Training>;
type Ratio = Pick<Turn, 'seconds' | 'processorSeconds'>;

const HELP = `npm run telemetry-cost

Trains in two processes that take turns of ${WINDOW_STEPS} steps: one with metrics served and scraped once a second, a live page's events
taken and gradients looked at every ${GRADIENTS_EVERY} steps, the other with none of it. Compares the time of turns that follow each other. Then renders such a
scrape, and the longest there can be. Ends with 1 where the time on is more than ${MOST_RATIO} times that off,
by more than twice the error of the measurement.

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
  const loadBefore = loadavg()[0];
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-telemetry-'));
  try {
    const file = join(folder, 'text.txt');
    writeFileSync(file, 'the quick brown fox jumps over the lazy dog\n'.repeat(20_000));
    const ratios: Ratio[] = [];
    const watchers: Watched[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Of two equal processes the one started first may be a hundredth faster.
      const names: readonly Name[] = pair % 2 === 0 ? ['off', 'on'] : ['on', 'off'];
      const measured = await measurePair(names, file, folder, steps);
      const { watched } = measured;
      ratios.push(...measured.ratios);
      watchers.push(watched);
      log(
        `pair ${pair + 1}: on / off ${measured.ratios.map(({ seconds }) => seconds.toFixed(3)).join(' ')}; ` +
          `${watched.scrapes} scrapes answered, ${watched.eventBytes} bytes of events`,
      );
    }
    process.stdout.write(report(ratios, watchers, steps, loadBefore, await measureRenders()));
    const { mean, error } = trimmedMean(ratios.map(({ seconds }) => seconds));
    if (mean - 2 * error > MOST_RATIO) {
      log(`Expected at most ${MOST_RATIO} times the time, got ${mean.toFixed(4)}.`);
      process.exitCode = EXIT_CODES.failed;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Starts two processes in the order of the names; their times on / off turn by turn, and what was seen of the watched one. */
async function measurePair(
  names: readonly Name[],
  file: string,
  folder: string,
  steps: number,
): Promise<{ ratios: Ratio[]; watched: Watched }> {
  const trainings: Trainings = new Map();
  try {
    for (const name of names) {
      trainings.set(name, await startTraining(file, join(folder, name), TELEMETRY[name]));
    }
    await takeTurns(trainings, WARM_UP_TURNS);
    const ratios = (await takeTurns(trainings, steps / WINDOW_STEPS)).map(ratioOf);
    return { ratios, watched: await watchedOf(trainings.get('on')) };
  } finally {
    const programs = [...trainings.values()].flatMap(({ program, watcher }) =>
      watcher ? [program, watcher] : program,
    );
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ closed }) => closed));
  }
}

type TurnOfEach = Readonly<Record<Name, Turn>>;

/** A turn of each, so many times. */
async function takeTurns(trainings: Trainings, times: number): Promise<TurnOfEach[]> {
  const taken: TurnOfEach[] = [];
  const order = [...trainings];
  for (let i = 0; i < times; i++) {
    const turns = new Map<Name, Turn>();
    for (const [name, training] of order) turns.set(name, await turn(training));
    taken.push({ on: turns.get('on')!, off: turns.get('off')! });
    // Off and on, on and off: a machine that gets slower favours neither.
    order.reverse();
  }
  return taken;
}

/** What that with telemetry took in units of the other. Throws where one computed in the other's turn, which cost that one. */
function ratioOf({ on, off }: TurnOfEach): Ratio {
  for (const { stillSeconds, processorSeconds } of [on, off]) {
    if (stillSeconds > MOST_STILL * processorSeconds) {
      const [still, busy] = [stillSeconds, processorSeconds].map((seconds) => seconds.toFixed(3));
      throw new Error(`A training took ${still} s of the processor between turns of ${busy} s`);
    }
  }
  return {
    seconds: on.seconds / off.seconds,
    processorSeconds: on.processorSeconds / off.processorSeconds,
  };
}

interface Training {
  program: Program;
  /** Scrapes it during its turns, and takes its events. */
  watcher: Program | undefined;
}

/** A run without end that stands still before its first step, watched where it has metrics. */
async function startTraining(file: string, run: string, telemetry: Settings): Promise<Training> {
  const settings: Settings = {
    ...MODEL,
    ...telemetry,
    ...{ files: [file], run, force: true, epochs: 1_000_000 },
    ...{ valFraction: 0, checkpointEvery: 0 },
  };
  const trainee: Trainee = { settings, steps: WINDOW_STEPS };
  const program = startProgram('../telemetry-cost/training.js', [JSON.stringify(trainee)]);
  const [, metricsUrl] = await program.shows(/^metrics(?: (http\S+))?$/m);
  const watcher = metricsUrl
    ? startProgram('../telemetry-cost/watcher.js', [metricsUrl])
    : undefined;
  return { program, watcher };
}

/** Trains for a turn. */
async function turn({ program: { child, closed }, watcher }: Training): Promise<Turn> {
  const output = once(child.stdout, 'data');
  child.stdin.write('\n');
  watcher?.child.stdin.write('on\n');
  const [line] = await Promise.race([output, closed.then(() => [''])]);
  watcher?.child.stdin.write('off\n');
  if (line === '') throw new Error('The training ended before its last step');
  return JSON.parse(line);
}

/** What the watcher saw, which ends by it. Throws where it was told nothing. */
async function watchedOf(training: Training | undefined): Promise<Watched> {
  if (!training?.watcher) throw new Error('Nobody watched the training');
  const { child } = training.watcher;
  child.stdin.end();
  const watched: Watched = JSON.parse(await text(child.stdout));
  if (watched.scrapes > 0 && watched.eventBytes > 0) return watched;
  throw new Error(`The training answered nothing: ${JSON.stringify(watched)}`);
}

interface Render {
  /** Median of some. */
  milliseconds: number;
  bytes: number;
}

/** The scrape of the training, and the longest there can be. */
async function measureRenders(): Promise<Record<'usual' | 'longest', Render>> {
  const usual = await measureRender({ layers: MODEL.layers, workers: surroundings().cores });
  return { usual, longest: await measureRender(LONGEST) };
}

async function measureRender(size: ScrapeSize): Promise<Render> {
  const metrics = fullMetrics(size);
  const times: number[] = [];
  let text = '';
  for (let i = 0; i < RENDERS; i++) {
    const started = performance.now();
    text = await metrics.render();
    times.push(performance.now() - started);
  }
  metrics.close();
  return { milliseconds: median(times), bytes: Buffer.byteLength(text) };
}

function report(
  ratios: readonly Ratio[],
  watchers: readonly Watched[],
  steps: number,
  loadBefore: number,
  { usual, longest }: Awaited<ReturnType<typeof measureRenders>>,
): string {
  const model = Object.entries(MODEL).map(([name, value]) => `--${name} ${value}`);
  const scrapes = watchers.reduce((sum, watched) => sum + watched.scrapes, 0);
  const processorSeconds = watchers.reduce((sum, watched) => sum + watched.processorSeconds, 0);
  const priority =
    watchers[0].priority === 'idle' ? 'only while a core is idle' : 'at the lowest priority';
  return `
machine    ${surroundings().cores} cores of ${cpus()[0]?.model.trim()}, load average ${loadBefore.toFixed(1)} at the start
training   ${model.join(' ')}, all cores, ${steps} steps a process, in turns of ${WINDOW_STEPS}, after ${WARM_UP_TURNS * WINDOW_STEPS} to warm up
telemetry  metrics scraped once a second (${scrapes} answers), a live page open, gradients every ${GRADIENTS_EVERY} steps
watchers   ${(processorSeconds / watchers.length).toFixed(2)} s of processor time a pair, ${priority}
time       on / off of ${describe(ratios.map(({ seconds }) => seconds))}
processor  on / off of ${describe(ratios.map(({ processorSeconds }) => processorSeconds))}
scrape     ${describeRender(usual)} of the training; the longest there can be (${LONGEST.layers} layers, ${LONGEST.workers} workers) ${describeRender(longest)}; medians of ${RENDERS}
`;
}

function describeRender({ milliseconds, bytes }: Render): string {
  return `${milliseconds.toFixed(2)} ms for ${formatBytes(bytes)}`;
}

function describe(ratios: readonly number[]): string {
  const { mean, error } = trimmedMean(ratios);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(3));
  return (
    `${ratios.length} pairs of turns: ${mean.toFixed(4)} ± ${error.toFixed(4)} (mean without a tenth at each end, its error), ` +
    `median ${median(ratios).toFixed(4)}, from ${least} to ${most}`
  );
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
