/**
 * What scrapers cost a training: the same run with and without them, in alternating pairs. Run as `npm run http-load`, on an
 * idle machine. All traffic is to 127.0.0.1.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT_CODES } from '../../src/errors.ts';
import { numberOf, runWithFlags, wholeOf } from '../flags.ts';
import type { LoadPlan, LoadReport } from './clients.ts';
import { type Program, startProgram } from './program.ts';
import { describe, type Outcome, type Pace, type Pair, report, shortfallsOf } from './report.ts';

const LOAD = {
  scrapesPerSecond: 200,
  slowConnections: 200,
  hostilePerSecond: 20,
  listeners: 4,
} as const;
const WARM_UP_SECONDS = 3;
/** After a switch, before the clock starts: connections open, caches fill. */
const SETTLE_SECONDS = 0.5;
const MODEL = ['--hidden', '256', '--layers', '2', '--batch', '64', '--chunk', '64'];

const HELP = `npm run http-load

Trains, and compares the steps a second under load with those without, in alternating pairs. The load, all at once:
${LOAD.scrapesPerSecond} scrapes a second, ${LOAD.slowConnections} slow connections, ${LOAD.hostilePerSecond} requests a second with 64 KiB of headers, ${LOAD.hostilePerSecond} scrapes a second that
are aborted, and ${LOAD.listeners} live pages that are loaded anew each second. Ends with 1 where it costs too much or could not be applied.

  --pairs    how many (8)
  --seconds  time of each half of a pair (3)
  --new      a new connection for each scrape; else connections are kept
`;

const FLAGS = {
  pairs: { type: 'string', default: '8' },
  seconds: { type: 'string', default: '3' },
  new: { type: 'boolean', default: false },
} as const;

/** `seconds`: of each half of a pair. */
interface Measurement {
  pairs: number;
  seconds: number;
  connections: 'new' | 'kept';
}

await runWithFlags(HELP, FLAGS, (flags) =>
  measure({
    pairs: wholeOf('pairs', flags.pairs, { least: 1 }),
    seconds: numberOf('seconds', flags.seconds, { least: 0.1, most: 60 }),
    connections: flags.new ? 'new' : 'kept',
  }),
);

async function measure({ pairs, seconds, connections }: Measurement): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-http-load-'));
  const loadBefore = loadavg()[0];
  const programs: Program[] = [];
  try {
    const training = startTraining(folder);
    programs.push(training);
    const [, port] = await training.shows(/metrics +http:\/\/127\.0\.0\.1:(\d+)\//);
    const plan: LoadPlan = {
      port: Number(port),
      keepsConnections: connections === 'kept',
      ...LOAD,
    };
    const clients = startProgram('./clients.js', [JSON.stringify(plan)]);
    programs.push(clients);
    await training.shows(/^step \d+/m);
    await delay(WARM_UP_SECONDS * 1000);
    const outcome: Outcome = {
      ...{ plan, seconds, loadBefore },
      model: MODEL.join(' '),
      pairs: [],
    };
    for (let i = 0; i < pairs; i++) {
      outcome.pairs.push(await measurePair(port, clients, seconds, i % 2 === 0));
    }
    process.stdout.write(report(outcome));
    const shortfalls = shortfallsOf(outcome);
    for (const shortfall of shortfalls) log(shortfall);
    if (shortfalls.length > 0) process.exitCode = EXIT_CODES.failed;
  } finally {
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ closed }) => closed));
    rmSync(folder, { recursive: true });
  }
}

/** Without and with, with and without: a machine that gets slower favours neither. */
async function measurePair(
  port: string,
  { child }: Program,
  seconds: number,
  beginsWithout: boolean,
): Promise<Pair> {
  const unloaded = async () => ({ without: await pace(port, seconds) });
  const before = beginsWithout ? await unloaded() : undefined;
  child.stdin.write('on\n');
  const loaded = await pace(port, seconds);
  child.stdin.write('off\n');
  const load: LoadReport = JSON.parse((await once(child.stdout, 'data'))[0]);
  const pair = { with: loaded, load, ...(before ?? (await unloaded())) };
  log(describe(pair));
  return pair;
}

/** A run that does not end, on every core, of a text that it does not matter to read. */
function startTraining(folder: string): Program {
  const text = join(folder, 'text.txt');
  writeFileSync(text, 'the quick brown fox jumps over the lazy dog\n'.repeat(20_000));
  const place = ['--run', join(folder, 'run'), '--metrics-port', '0'];
  const length = ['--epochs', '1000000', '--eval-every', '2000000000', '--checkpoint-every', '0'];
  return startProgram('../../src/cli.js', ['train', text, ...MODEL, ...place, ...length]);
}

/** Of the steps that end within the next `seconds`. */
async function pace(port: string, seconds: number): Promise<Pace> {
  await delay(SETTLE_SECONDS * 1000);
  const first = await look(port);
  await delay(seconds * 1000);
  const last = await look(port);
  const steps = last.step - first.step;
  return {
    stepsPerSecond: steps / (last.seconds - first.seconds),
    processorSecondsPerStep: (last.processorSeconds - first.processorSeconds) / steps,
    residentBytes: last.residentBytes,
  };
}

/** The last step and when it ended; what the process has taken by about then, and what it holds. */
async function look(port: string) {
  const { step, secondsSinceStep } = await (await fetch(`http://127.0.0.1:${port}/healthz`)).json();
  const seconds = performance.now() / 1000 - secondsSinceStep;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const metric = (name: string) =>
    Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    step,
    seconds,
    processorSeconds: metric('process_cpu_seconds_total'),
    residentBytes: metric('process_resident_memory_bytes'),
  };
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
