/**
 * What it costs to watch a training: two processes train the same, one with everything on that tells of it and one with
 * everything off, and take turns. Run as `npm run telemetry-cost`, on an idle machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../../src/bytes.ts';
import { EXIT_CODES, expected, InputError } from '../../src/errors.ts';
import { surroundings } from '../../src/machine.ts';
import { median, trimmedMean } from '../../src/statistics.ts';
import { runWithFlags, wholeOf } from '../flags.ts';
import { fullMetrics, LONGEST, type ScrapeSize } from './full-scrape.ts';
import {
  GRADIENTS_EVERY,
  MODEL,
  measurePair,
  type Name,
  type Ratio,
  WARM_UP_TURNS,
  WINDOW_STEPS,
} from './turns.ts';
import type { Watched } from './watcher.ts';

const RENDERS = 50;
/** Time of a turn with telemetry on, in units of that with it off. */
const MOST_RATIO = 1.01;

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
